"""What the registry and those who make the rules do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.core.tlog.types import EntryType as T
from bootstrap.models import (
    Alarm,
    Breaker,
    Domain,
    RulesChange,
    Zone,
)
from bootstrap.services import (
    alarms,
    holds,
    intake,
    rules,
    suspension,
    switches,
    zones,
)
from bootstrap.services.actors import IMPORTER, OPERATOR
from tests.services import test_breakers, test_intake, test_trusting
from tests.services.builders import (
    DS,
    NOW,
    a_domain,
    a_person,
    a_zone,
)

from .acting import LATER, Act, writes
from .changes import proposing

# ── the registry's side ─────────────────────────────


def importing(**changes: Any) -> Act:
    """Import one child, and return its import with these changes."""
    zone = a_zone(max_removed_share=1.0)
    test_intake.take_in(
        zone, test_intake.a_row(registrar="one"), now=NOW, complete=True
    )
    row = test_intake.a_row(**{"registrar": "one", **changes})
    return lambda: test_intake.take_in(zone, row, complete=True)


@writes(T.IMPORT_DONE)
def bring_in(scene):
    zone = a_zone()
    return lambda: test_intake.take_in(zone, test_intake.a_row())


@writes(T.IMPORT_REFUSED)
def refuse_an_import(scene):
    zone = a_zone()
    origin = intake.Origin(kind="zone-file", complete=True, serial=7)
    terms = intake.Terms(actor=IMPORTER, now=NOW)
    return lambda: intake.refuse(zone, origin, terms, "its SOA is missing")


@writes(T.DELEGATION_NS_CHANGED)
def other_nameservers(scene):
    return importing(ns=test_intake.OTHER_NS)


@writes(T.DELEGATION_DS_CHANGED)
def other_ds(scene):
    return importing(ds=(DS,))


@writes(T.DELEGATION_TRANSFERRED)
def another_registrar(scene):
    return importing(registrar="two")


@writes(T.DELEGATION_REMOVED)
def no_delegation(scene):
    zone = a_zone(max_removed_share=1.0)
    test_intake.take_in(zone, test_intake.a_row())
    return lambda: test_intake.take_in(zone, complete=True)


@writes(T.SUSPENSION_BEGAN)
def suspend(scene):
    domain = a_domain()
    cause = Suspension.HOLDER_OPT_OUT
    return lambda: suspension.suspend(domain, cause, actor=a_person(), now=NOW)


@writes(T.SUSPENSION_ENDED)
def resume(scene):
    a_domain(suspension="HOLDER_OPT_OUT", suspended_at=NOW)
    return lambda: suspension.resume(Domain.objects.get(), actor=a_person(), now=NOW)


# ── rules ─────────────────────────────


@writes(T.ZONE_ADDED)
def add_a_zone(scene):
    return lambda: zones.add_zone("test", actor=OPERATOR, now=NOW)


@writes(T.ZONE_CHANGED)
def change_a_zone(scene):
    a_zone()
    return lambda: zones.change_zone(
        Zone.objects.get(), actor=OPERATOR, now=NOW, routing="auto"
    )


@writes(T.POLICY_CHANGED)
def write_a_policy(scene):
    zone = a_zone()
    reason = zones.Rationale(OPERATOR, "stricter")
    return lambda: zones.write_policy(zone, zones.policy_of(zone), reason, now=NOW)


def asked_for_rules() -> None:
    for name in ("mia", "max"):
        user = User.objects.create_user(name, is_staff=True)
        user.groups.set(Group.objects.filter(name="zone manager"))
    a_zone()


MIA, MAX = a_person("mia", zones.MANAGE), a_person("max", zones.MANAGE)


def ask_rules():
    wanted = rules.Wanted({"routing": "auto"}, None, "needed")
    return rules.ask(Zone.objects.get(), wanted, actor=MIA, now=NOW)


@writes(T.RULES_PROPOSED)
def propose_rules(scene):
    asked_for_rules()
    return ask_rules


@writes(T.RULES_CONFIRMED)
def confirm_rules(scene):
    asked_for_rules()
    ask_rules()
    return lambda: rules.confirm(
        RulesChange.objects.get(), actor=MAX, comment="agreed", now=NOW
    )


@writes(T.RULES_REFUSED)
def refuse_rules(scene):
    asked_for_rules()
    ask_rules()
    return lambda: rules.refuse(
        RulesChange.objects.get(), actor=MAX, comment="no", now=NOW
    )


def flood(count: int) -> Act:
    """Let so many children of one operator ask for removal; return one more."""
    zone = a_zone(routing="auto")
    acts = [
        proposing(test_breakers.a_secure(zone, f"c{n}.test"), test_breakers.a_removal())
        for n in range(count + 1)
    ]
    for act in acts[:-1]:
        act()
    return acts[-1]


@writes(T.BREAKER_OPENED)
def open_a_breaker(scene):
    return flood(test_breakers.LIMIT)


def say_go_on(who: str) -> None:
    holds.release(Breaker.objects.get(), actor=a_person(who), comment="ok", now=LATER)


@writes(T.BREAKER_VOICE)
def say_the_first_word(scene):
    flood(test_breakers.FLOOD)
    return lambda: say_go_on("ada")


@writes(T.BREAKER_RELEASED)
def say_the_second_word(scene):
    flood(test_breakers.FLOOD)
    say_go_on("ada")
    return lambda: say_go_on("bob")


@writes(T.ANCHORS_TRUSTED)
def begin_with_anchors(scene):
    return lambda: test_trusting.seen(test_trusting.OLD)


@writes(T.ANCHORS_SEEN)
def change_the_anchors(scene):
    test_trusting.seen(test_trusting.OLD)
    return lambda: test_trusting.seen(test_trusting.NEW)


@writes(T.ANCHORS_VOICE)
def say_the_first_word_for_anchors(scene):
    test_trusting.seen(test_trusting.OLD)
    test_trusting.seen(test_trusting.NEW)
    return lambda: test_trusting.word("ada")


@writes(T.SWITCH_ENGAGED)
def stop_publication(scene):
    return lambda: switches.engage(actor=a_person(), reason="a drill", now=NOW)


@writes(T.SWITCH_RELEASED)
def let_publication_go_on(scene):
    switches.engage(actor=a_person(), reason="a drill", now=NOW)
    return lambda: switches.release(actor=a_person(), reason="over", now=NOW)


@writes(T.ALARM_OPENED)
def open_an_alarm(scene):
    return lambda: alarms.open_alarm("SIG_BOGUS", subject="child.test", now=NOW)


@writes(T.ALARM_ACKNOWLEDGED)
def acknowledge_an_alarm(scene):
    alarms.open_alarm("SIG_BOGUS", subject="child.test", now=NOW)
    return lambda: alarms.acknowledge(
        Alarm.objects.get(), actor=a_person(), comment="seen", now=NOW
    )


@writes(T.ALARM_CLOSED)
def close_an_alarm(scene):
    alarms.open_alarm("SIG_BOGUS", subject="child.test", now=NOW)
    return lambda: alarms.close_alarm("SIG_BOGUS", subject="child.test", now=NOW)
