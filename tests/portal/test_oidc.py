"""Single sign-on, against a provider that runs here (S-64, S-66, S-102)."""

from __future__ import annotations

import http.client
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from bootstrap.models import Alarm, AuditEntry, Identity, ZoneRole
from tests.support import apart, provider as providers, rows

PASSWORD = "correct horse battery"
ADA = {
    "sub": "248289761001",
    "preferred_username": "ada",
    "groups": ["dns-approvers"],
    "amr": ["pwd", "mfa"],
}


@pytest.fixture
def provider(db, settings):
    """The provider, with Ada before it, and ourselves as its client."""
    cache.clear()
    with providers.running() as running:
        running.person = dict(ADA)
        settings.OIDC = settings.OIDC | {
            "issuer": running.issuer,
            "client_id": providers.CLIENT,
            "client_secret": providers.SECRET,
            "name": "Registry ID",
            "roles": {"dns-approvers": (("approver", ""),)},
            "create": True,
        }
        yield running


def visit(address: str) -> str:
    """Be the browser at the provider; return where it sends one."""
    parts = urlsplit(address)
    line = http.client.HTTPConnection(parts.netloc, timeout=5)
    line.request("GET", f"{parts.path}?{parts.query}")
    answer = line.getresponse()
    answer.read()
    line.close()
    assert answer.status == 302
    return str(answer.headers["Location"])


def there(client: Client, back: str = "") -> str:
    """Begin at our door, pass the provider; return the address that leads back."""
    begun = client.get(reverse("oidc_begin"), {"next": back} if back else {})
    assert begun.status_code == 302
    return visit(begun["Location"]).removeprefix("http://testserver")


def come(client: Client, back: str = ""):
    """Sign in by the provider."""
    return client.get(there(client, back))


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_person_comes_in_with_the_roles_of_their_groups(client, provider, registry):
    answer = come(client, "/queue/")

    assert answer.status_code == 302
    assert answer["Location"] == "/queue/"
    ada = User.objects.get(username="ada")
    assert ada.groups.get().name == "approver"
    assert not ada.has_usable_password()
    assert client.get("/queue/").status_code == 200
    kinds = AuditEntry.objects.filter(stream="people").values_list("type", flat=True)
    assert list(kinds) == ["user.changed", "role.granted", "user.signed-in"]


def test_the_request_carries_state_nonce_and_challenge(client, provider):
    there(client)
    there(client)

    one, two = provider.asked
    for name in ("state", "nonce", "code_challenge"):
        assert len(one[name]) >= 32
        assert one[name] != two[name]
    assert one["scope"] == "openid profile email"


def test_the_second_coming_is_the_same_account_whatever_its_name(client, provider):
    come(client)
    provider.person["preferred_username"] = "ada.lovelace"
    come(Client())

    assert User.objects.get().username == "ada"


def test_roles_follow_the_groups_at_each_coming(client, provider, settings, registry):
    zone = registry.zone
    settings.OIDC = settings.OIDC | {
        "roles": {
            "dns-approvers": (("approver", ""),),
            "nl": (("reviewer", zone.name), ("viewer", "not ours")),
        }
    }
    come(client)
    provider.person["groups"] = ["nl", "canteen"]
    come(Client())

    ada = User.objects.get(username="ada")
    assert not ada.groups.exists()
    held = ZoneRole.objects.get(user=ada)
    assert (held.role.name, held.zone) == ("reviewer", zone)


def test_without_a_mapping_roles_are_granted_here(client, provider, settings):
    settings.OIDC = settings.OIDC | {"roles": {}}
    come(client)
    ada = User.objects.get(username="ada")
    assert not ada.groups.exists()
    rows_of = rows.a_person("other", "auditor").groups.all()
    ada.groups.set(rows_of)

    come(Client())

    assert ada.groups.get().name == "auditor"


def test_groups_whose_roles_do_not_go_together_let_nobody_in(
    client, provider, settings
):
    """S-67."""
    both = (("approver", ""), ("administrator", ""))
    settings.OIDC = settings.OIDC | {"roles": {"dns-approvers": both}}

    assert come(client).status_code == 403
    assert not is_in(client)


def test_who_is_unknown_is_refused_by_setting(client, provider, settings):
    settings.OIDC = settings.OIDC | {"create": False}

    answer = come(client)

    assert answer.status_code == 403
    assert not is_in(client)
    assert not User.objects.exists()
    assert AuditEntry.objects.get().type == "user.sign-in-failed"


def test_an_account_that_waits_for_its_person_is_linked(client, provider, settings):
    settings.OIDC = settings.OIDC | {"create": False}
    waiting = User.objects.create_user("ada", is_staff=True)

    come(client)

    assert Identity.objects.get().user == waiting
    assert is_in(client)


def test_no_name_at_the_provider_opens_an_account_with_a_password(client, provider):
    rows.a_person("ada", "administrator")

    assert come(client).status_code == 403
    assert not is_in(client)


def test_no_second_person_takes_over_a_linked_account(client, provider):
    come(client)
    provider.person["sub"] = "somebody else"

    again = Client()
    assert come(again).status_code == 403
    assert not is_in(again)


def test_an_account_that_is_switched_off_stays_out(client, provider):
    come(client)
    User.objects.update(is_active=False)

    again = Client()
    assert come(again).status_code == 403
    assert not is_in(again)


@pytest.mark.parametrize("name", ["", "ada\n", "<b>", "a" * 151, "päul"])
def test_a_name_that_is_none_makes_no_account(name, client, provider):
    provider.person["preferred_username"] = name

    assert come(client).status_code == 403
    assert not User.objects.exists()


def ago(seconds: int) -> int:
    return int(time.time()) - seconds


LIES = {
    "another audience": {"aud": "another client"},
    "two audiences and no party": {"aud": [providers.CLIENT, "another"]},
    "two audiences, another's party": {
        "aud": [providers.CLIENT, "another"],
        "azp": "another",
    },
    "another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": ago(120)},
    "no end": {"exp": None},
    "issued tomorrow": {"iat": ago(-86400)},
    "not yet good": {"nbf": ago(-86400)},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "nobody": {"sub": None},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_hold_lets_nobody_in(lie, client, provider):
    provider.said = LIES[lie]

    assert come(client).status_code == 403
    assert not is_in(client)
    assert not User.objects.exists()


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "RS256"])
def test_a_token_under_another_algorithm_than_the_keys_lets_nobody_in(
    alg, client, provider
):
    provider.alg = alg

    assert come(client).status_code == 403
    assert not is_in(client)


def test_a_token_of_another_key_lets_nobody_in(client, provider):
    provider.signs_with = providers.new_key()

    assert come(client).status_code == 403
    provider.signs_with, provider.kid = None, "two"
    assert come(client).status_code == 403
    assert not is_in(client)


def test_a_code_is_good_once(client, provider):
    back = there(client)
    client.get(back)
    client.logout()

    assert client.get(back).status_code == 403
    assert not is_in(client)


def test_a_code_brings_nobody_in_at_another_browser(client, provider):
    back = there(client)
    other = Client()
    there(other)

    assert other.get(back).status_code == 403
    assert not is_in(other)


@pytest.mark.parametrize("state", ["", "forged", "ü"])
def test_another_state_is_refused(state, client, provider):
    code = parse_qs(urlsplit(there(client)).query)["code"][0]

    answer = client.get(reverse("oidc_callback"), {"code": code, "state": state})

    assert answer.status_code == 403
    assert not is_in(client)


def test_the_answer_of_another_provider_is_refused(client, provider):
    """RFC 9207: no mix-up."""
    back = there(client)

    answer = client.get(re.sub("iss=[^&]*", "iss=https%3A%2F%2Fevil.example", back))

    assert answer.status_code == 403


def test_who_takes_too_long_begins_again(client, provider):
    back = there(client)
    session = client.session
    session["oidc"] = session["oidc"] | {"at": time.time() - 700}
    session.save()

    assert client.get(back).status_code == 403


def test_an_error_of_the_provider_is_told_without_its_words(client, provider):
    there(client)
    state = client.session["oidc"]["state"]

    answer = client.get(
        reverse("oidc_callback"), {"state": state, "error": "<b>access_denied</b>"}
    )

    assert answer.status_code == 403
    assert "access_denied" not in answer.text


DAMAGE = {
    "another's document": {"issuer": "https://evil.example"},
    "no token at its address": {"token_endpoint": "http://127.0.0.1:9/"},
    "no addresses": {"authorization_endpoint": None, "token_endpoint": 7},
    "no keys": {"jwks_uri": None},
    "another secret": None,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_provider_that_is_ill_lets_nobody_in_and_breaks_nothing(
    damage, client, provider
):
    provider.document = DAMAGE[damage] or {}
    if DAMAGE[damage] is None:
        provider.client_secret = "changed"
    begun = client.get(reverse("oidc_begin"))
    if begun.status_code == 302:
        begun = client.get(visit(begun["Location"]).removeprefix("http://testserver"))

    assert begun.status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/"])
def test_nobody_is_led_away_after_signing_in(back, client, provider):
    assert come(client, back)["Location"] == "/"


def test_who_showed_no_second_factor_there_sets_one_up_here(client, provider, registry):
    provider.person["amr"] = ["pwd"]
    come(client)

    answer = client.get("/queue/")

    assert answer["Location"] == reverse("mfa_index")


def test_a_class_of_authentication_counts_by_setting(
    client, provider, settings, registry
):
    settings.OIDC = settings.OIDC | {"acr": ["phr"]}
    provider.person |= {"amr": [], "acr": "phr"}
    come(client)

    assert provider.asked[0]["acr_values"] == "phr"
    assert client.get("/queue/").status_code == 200


def test_a_decision_asks_the_provider_again_when_it_was_long_ago(
    client, provider, registry
):
    """S-66: what counts is when the person showed themselves, not when they came in."""
    provider.shown_at = time.time() - 3600
    come(client)
    row = registry.proposals["candidate"]
    page = reverse("dashboard:proposal", args=[row.pk])
    form = {"verb": "reject", "digest": row.digest, "comment": "no", "back": page}
    url = reverse("dashboard:decide", args=[row.pk])

    asked = client.post(url, form)
    assert asked["Location"].startswith(reverse("oidc_begin"))
    row.refresh_from_db()
    assert row.state == "candidate"
    key = client.session.session_key
    begun = client.get(asked["Location"])
    back = client.get(visit(begun["Location"]).removeprefix("http://testserver"))

    assert provider.asked[-1]["prompt"] == "login"
    assert provider.asked[-1]["max_age"] == "0"
    assert back["Location"] == page
    assert client.session.session_key != key
    client.post(url, form)
    row.refresh_from_db()
    assert row.state == "rejected"


STEPS = {
    "somebody else": {"sub": "somebody else"},
    "no second factor": {"amr": ["pwd"]},
    "no time": {"auth_time": None},
    "an old time": {"auth_time": ago(3600)},
}


@pytest.mark.parametrize("what", STEPS)
def test_a_step_up_that_does_not_hold_decides_nothing(what, client, provider, registry):
    provider.shown_at = time.time() - 3600
    come(client)
    provider.said = STEPS[what]
    row = registry.proposals["candidate"]
    form = {"verb": "reject", "digest": row.digest, "comment": "no"}

    come(client, "/queue/")
    asked = client.post(reverse("dashboard:decide", args=[row.pk]), form)

    assert asked["Location"].startswith(reverse("oidc_begin"))
    row.refresh_from_db()
    assert row.state == "candidate"


def test_who_has_a_second_factor_here_shows_it_here(client, provider, registry):
    provider.person["amr"] = ["pwd"]
    come(client)
    ada = User.objects.get(username="ada")
    Authenticator.objects.create(user=ada, type="totp", data={})
    row = registry.proposals["candidate"]
    form = {"verb": "reject", "digest": row.digest, "comment": "no"}

    asked = client.post(reverse("dashboard:decide", args=[row.pk]), form)

    assert asked["Location"].startswith(reverse("mfa_reauthenticate"))


def test_no_old_session_makes_itself_a_second_factor(client, provider):
    """S-66: else whoever steals one could decide."""
    come(client)
    page = reverse("mfa_index")
    assert client.get(page).status_code == 200
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 700
    session.save()

    for url in (page, reverse("mfa_activate_totp"), reverse("mfa_add_webauthn")):
        answer = client.get(url)
        assert answer["Location"].startswith(reverse("oidc_begin"))


def test_signing_out_leads_to_where_one_signs_out_there(client, provider):
    come(client)

    answer = client.post(reverse("account_logout"))

    assert not is_in(client)
    assert answer["Location"] == reverse("oidc_out")
    page = client.get(answer["Location"]).text
    assert f"{provider.issuer}/logout?client_id=portal" in page


def send(client, name, password=PASSWORD):
    url = reverse("account_login")
    return client.post(url, {"login": name, "password": password})


def test_no_password_opens_the_door_beside_the_provider(client, provider):
    rows.a_person("person")

    known, unknown = send(client, "person").text, send(client, "nobody").text

    assert not is_in(client)
    assert known.count("errorlist") == unknown.count("errorlist") == 1


def test_a_break_glass_account_comes_in_and_everybody_is_told(
    client, provider, settings
):
    settings.OIDC = settings.OIDC | {"passwords": ["glass"]}
    rows.a_person("glass", "administrator")

    send(client, "glass")

    assert is_in(client)
    assert Alarm.objects.open().get().subject == "account glass"


def test_the_page_of_sign_in_leads_to_the_provider(client, provider):
    text = client.get(f"{reverse('account_login')}?next=/queue/").text

    assert "Registry ID" in text
    assert f'href="{reverse("oidc_begin")}?next=/queue/"' in text


@pytest.mark.parametrize("page", ["oidc_begin", "oidc_callback", "oidc_out"])
def test_without_a_provider_there_is_no_such_page(page, client, db):
    assert client.get(reverse(page)).status_code == 404
    assert "oidc" not in client.get(reverse("account_login")).text


def test_the_zone_of_a_mapped_role_keeps_its_borders(
    client, provider, settings, registry
):
    home = apart.elsewhere()
    mapping = {"dns-approvers": (("approver", home.zone.name),)}
    settings.OIDC = settings.OIDC | {"roles": mapping}
    come(client)

    theirs = registry.proposals["candidate"].pk
    assert client.get(reverse("dashboard:proposal", args=[theirs])).status_code == 404
    own = reverse("dashboard:proposal", args=[home.proposal.pk])
    assert client.get(own).status_code == 200
