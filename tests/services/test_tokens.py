"""Keys of machines: kept as digests, limited by their owners, ended at once (S-111)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from bootstrap.models import AuditEntry, Token
from bootstrap.services import proposals, tokens
from bootstrap.services.actors import OPERATOR, Actor, ActorKind
from tests.support import rows

pytestmark = pytest.mark.django_db
NOW = rows.NOW
SCOPES = ("domains:read", "scans:request")


@pytest.fixture
def owner():
    return rows.a_person("robot", "reviewer")


def issued(owner, *scopes: str, **terms):
    wanted = tokens.Terms(name="monitor", scopes=scopes or SCOPES, **terms)
    return tokens.issue(owner, wanted, actor=OPERATOR, now=NOW)


def found(secret: str, now=NOW) -> tokens.Bearer:
    bearer = tokens.find(secret, now=now)
    assert bearer is not None
    return bearer


def test_the_secret_is_nowhere_in_the_database(owner):
    token, secret = issued(owner)

    kept = str(Token.objects.filter(pk=token.pk).values())
    trail = b"".join(bytes(e.body) for e in AuditEntry.objects.all())

    assert secret.rsplit("_", 1)[1] not in kept
    assert secret.rsplit("_", 1)[1].encode() not in trail
    assert token.prefix.encode() in trail


def test_a_token_is_found_by_its_secret_alone(owner):
    token, secret = issued(owner)

    assert found(secret).token == token
    for wrong in (secret[:-1], secret + "x", secret.upper(), token.prefix, "", "é_é_é"):
        assert tokens.find(wrong, now=NOW) is None


def test_a_token_ends_with_its_time_its_revocation_or_its_owner(owner):
    token, secret = issued(owner, life=timedelta(days=1))
    _, other = issued(owner)

    assert tokens.find(secret, now=NOW + timedelta(days=1)) is None
    assert tokens.revoke(token, actor=OPERATOR, now=NOW)
    assert not tokens.revoke(token, actor=OPERATOR, now=NOW)
    assert tokens.find(secret, now=NOW) is None
    assert tokens.find(other, now=NOW) is not None
    owner.is_active = False
    owner.save()
    assert tokens.find(other, now=NOW) is None


def test_a_token_loses_what_its_owner_loses(owner):
    _, secret = issued(owner)
    owner.groups.clear()

    assert found(secret).scopes == frozenset()


def test_use_is_noted_once_a_minute(owner):
    token, secret = issued(owner)

    for seconds in (0, 30, 61):
        tokens.find(secret, now=NOW + timedelta(seconds=seconds))
        token.refresh_from_db()
        assert token.last_used_at == NOW + timedelta(seconds=61 * (seconds > 60))


REFUSED = {
    "an unknown scope": {"scopes": ("proposals:decide",)},
    "no scope": {"scopes": ()},
    "beyond its owner": {"scopes": ("audit:read",)},
    "for ever": {"scopes": SCOPES, "life": timedelta(days=400)},
    "no life": {"scopes": SCOPES, "life": timedelta(0)},
}


@pytest.mark.parametrize("terms", REFUSED.values(), ids=REFUSED)
def test_a_token_is_refused_with(terms, owner):
    with pytest.raises(tokens.TokenRefused):
        tokens.issue(owner, tokens.Terms(name="x", **terms), actor=OPERATOR, now=NOW)


def test_no_scope_lends_the_permission_to_decide():
    assert "bootstrap.decide_proposal" not in tokens.SCOPES.values()


@pytest.mark.parametrize("verb", ["approve", "reject", "hold", "release"])
def test_no_decision_comes_through_the_door_of_machines(verb):
    """Whatever permissions a caller might put into the actor (S-111)."""
    registry = rows.a_registry()
    proposal = registry.proposals["held" if verb == "release" else "candidate"]
    everything = frozenset({"bootstrap.decide_proposal", "bootstrap.hold_proposal"})
    actor = Actor(ActorKind.STAFF, "robot", "api:0123456789ab", everything)

    with pytest.raises(proposals.DecisionRefused):
        getattr(proposals, verb)(
            proposal, actor=actor, digest=proposal.digest, comment="x", now=NOW
        )


def test_the_command_issues_lists_and_revokes(owner, capsys):
    call_command("token", "issue", "ci", "--owner", "robot", "--scope", "zones:read")
    secret = capsys.readouterr().out.strip()
    call_command("token", "list", "--json")
    listed = capsys.readouterr().out
    prefix = secret.split("_")[1]
    call_command("token", "revoke", prefix)

    assert secret.startswith("dsb_")
    assert prefix in listed
    assert secret not in listed
    assert Token.objects.get().revoked_at is not None


WRONG = (
    ("issue", "x", "--owner", "nobody", "--scope", "zones:read"),
    ("issue", "x", "--owner", "robot", "--scope", "audit:read"),
    ("revoke", "unknown"),
)


@pytest.mark.parametrize("arguments", WRONG)
def test_the_command_says_what_is_wrong(arguments, owner):
    with pytest.raises(CommandError):
        call_command("token", *arguments)
