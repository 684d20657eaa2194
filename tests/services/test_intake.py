from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import Ds
from bootstrap.core.evaluation.delegation import Delegation
from bootstrap.core.evaluation.queries import Trigger
from bootstrap.core.workflow.lifecycle import State
from bootstrap.models import (
    AuditEntry,
    Domain,
    DomainState,
    Proposal,
    WorkItem,
    Zone,
)
from bootstrap.registry.rows import BadLine, Row, SourceRefused
from bootstrap.services import intake, staging
from bootstrap.services.actors import IMPORTER
from bootstrap.services.intake import ImportRefused, Origin, Terms

from .builders import DS, NOW, OTHER_DS, a_domain, a_proposal, a_zone

pytestmark = pytest.mark.django_db

NS = ("ns1.op.example", "ns2.op.example")
OTHER_NS = ("ns.other.example",)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def zone() -> Zone:
    return a_zone(max_removed_share=0.5)


def a_row(name="child.test", ns=NS, ds=(), **changes) -> Row:
    delegation = Delegation(
        child=parse_name(name),
        parent=parse_name("test"),
        nameservers=tuple(parse_name(host) for host in ns),
        ds=tuple(Ds.from_text(text) for text in ds),
        **changes,
    )
    return Row(1, delegation)


def take_in(
    zone: Zone, *entries, now=LATER, share=None, as_of=None, complete=False
) -> intake.Summary:
    return intake.take_in(
        zone,
        entries,
        Origin(kind="zone-file", complete=complete, serial=7, as_of=as_of),
        Terms(actor=IMPORTER, now=now, max_removed_share=share),
    )


def counts(summary: intake.Summary) -> tuple[int, int, int, int, int]:
    return (
        summary.added,
        summary.changed,
        summary.removed,
        summary.unchanged,
        summary.bad,
    )


def trail() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("type", flat=True))


def test_the_first_import_is_compared_with_no_table_that_grows_meanwhile(zone):
    """Where it was analysed while empty, PostgreSQL reads it anew for each row."""
    with CaptureQueriesContext(connection) as asked:
        take_in(zone, a_row("one.test"), a_row("two.test"))
    into = ("bootstrap_domain", "bootstrap_workitem")
    inserts = [q["sql"] for q in asked if q["sql"].startswith("INSERT INTO")]
    inserts = [sql for sql in inserts if any(f'INTO "{name}"' in sql for name in into)]

    assert len(inserts) == 2
    assert not [sql for sql in inserts if "NOT EXISTS" in sql]
    again = take_in(zone, a_row("one.test"), a_row("two.test"), a_row("new.test"))
    assert counts(again) == (1, 0, 0, 2, 0)
    assert WorkItem.objects.count() == 3


def rows_of_everything() -> list[object]:
    return [
        *Domain.objects.order_by("pk").values(),
        *WorkItem.objects.order_by("pk").values(),
        *AuditEntry.objects.exclude(type="import.refused").values(),
    ]


def test_new_children_are_stored_and_due(zone):
    glue = ((parse_name("ns1.child.test"), "192.0.2.1"),)
    summary = take_in(
        zone,
        a_row("b.test", ns=("ns2.op.example", "ns1.op.example")),
        a_row("a.test", ns=("ns1.child.test",), glue=glue, ds=(OTHER_DS, DS)),
    )

    assert counts(summary) == (2, 0, 0, 0, 0)
    first, second = Domain.objects.order_by("name")
    assert first.ds == [DS, OTHER_DS]
    assert first.glue == [["ns1.child.test", "192.0.2.1"]]
    assert (first.state, second.state) == (DomainState.SECURED, DomainState.UNSIGNED)
    assert second.nameservers == ["ns1.op.example", "ns2.op.example"]
    assert second.ns_key == staging.ns_key_of(NS)
    assert (second.version, second.created_at, second.zone) == (1, LATER, zone)
    assert WorkItem.objects.claimable(LATER + timedelta(seconds=1)).count() == 2
    assert trail() == ["import.done"]
    zone.refresh_from_db()
    assert (zone.imported_at, zone.soa_serial) == (LATER, 7)


def test_the_same_again_changes_nothing(zone):
    take_in(zone, a_row("a.test", ds=[DS]), a_row("b.test"))
    before = list(Domain.objects.values()), list(WorkItem.objects.values())

    tomorrow = LATER + timedelta(days=1)
    summary = take_in(zone, a_row("a.test", ds=[DS]), a_row("b.test"), now=tomorrow)

    assert counts(summary) == (0, 0, 0, 2, 0)
    assert (list(Domain.objects.values()), list(WorkItem.objects.values())) == before


def test_first_scans_are_spread_over_no_more_than_the_cadence():
    zone = a_zone(scan_every_seconds=1)
    take_in(zone, *(a_row(f"c{n}.test") for n in range(300)))
    assert not WorkItem.objects.filter(due_at__gt=LATER + timedelta(seconds=1)).exists()
    assert WorkItem.objects.values("due_at").distinct().count() > 50


def test_a_changed_ns_set_is_evaluated_at_once_and_voids_what_is_open(
    zone,
):  # P-4.44, P-1.40
    domain = a_domain(zone, ns_key=staging.ns_key_of(NS), signed_since=NOW)
    open_one = a_proposal(domain, state="approved")

    summary = take_in(zone, a_row(ns=OTHER_NS))

    assert counts(summary) == (0, 1, 0, 0, 0)
    domain.refresh_from_db()
    assert domain.nameservers == list(OTHER_NS)
    assert domain.ns_key == staging.ns_key_of(OTHER_NS)
    assert (domain.ns_changed_at, domain.changed_at) == (LATER, LATER)
    assert (domain.version, domain.signed_since) == (2, None)
    open_one.refresh_from_db()
    assert (open_one.state, open_one.reason) == (State.STALE, "PUB_CONFLICT")
    work = WorkItem.objects.get()
    assert (work.trigger, work.due_at) == (Trigger.NS_CHANGE, LATER)
    assert "delegation.ns-changed" in trail()


def test_glue_alone_does_not_make_the_ns_set_new(zone):
    domain = a_domain(zone)
    take_in(zone, a_row(glue=((parse_name("ns1.op.example"), "192.0.2.9"),)))

    domain.refresh_from_db()
    assert (domain.version, domain.ns_changed_at) == (2, None)
    assert trail() == ["import.done"]


def test_a_ds_set_removed_by_another_channel_suspends(zone):  # P-1.61, P-5.44
    domain = a_domain(zone, ds=[DS], auth_method="RFC9615")
    take_in(zone, a_row())

    domain.refresh_from_db()
    assert domain.ds == []
    assert domain.suspension == "OOB_REMOVAL"
    assert (domain.oob_change_at, domain.auth_method) == (LATER, "")
    assert domain.state == DomainState.SUSPENDED
    assert {"delegation.ds-changed", "suspension.began"} <= set(trail())


def test_a_new_ds_set_by_any_channel_ends_the_suspension(zone):
    domain = a_domain(zone, suspension="OOB_REMOVAL", suspended_at=NOW)
    take_in(zone, a_row(ds=[DS]))

    domain.refresh_from_db()
    assert (domain.suspension, domain.state) == ("", DomainState.SECURED)
    assert "suspension.ended" in trail()


def test_a_new_ds_set_does_not_undo_what_the_holder_asked_for(zone):
    domain = a_domain(zone, suspension="HOLDER_OPT_OUT", suspended_at=NOW)
    take_in(zone, a_row(ds=[DS]))
    domain.refresh_from_db()
    assert domain.suspension == "HOLDER_OPT_OUT"


def test_a_ds_set_that_was_replaced_is_noted_and_does_not_suspend(
    zone,
):  # P-4.35, P-5.42
    domain = a_domain(zone, ds=[DS])
    take_in(zone, a_row(ds=[OTHER_DS]))
    domain.refresh_from_db()
    assert (domain.ds, domain.suspension) == ([OTHER_DS], "")
    assert domain.oob_change_at == LATER


@pytest.mark.parametrize("state", ["sending", "sent", "visible"])
@pytest.mark.parametrize("shown", [[], [DS]], ids=["old set", "new set"])
@pytest.mark.parametrize("stored", [[], [DS]], ids=["not told", "told"])
def test_our_own_publication_is_no_change_by_another_channel(
    zone, state, shown, stored
):
    domain = a_domain(zone, ds=stored)
    proposal = a_proposal(domain, state=state, old_ds=[], new_ds=[DS])

    summary = take_in(zone, a_row(ds=shown))

    assert counts(summary) == (0, 0, 0, 1, 0)
    domain.refresh_from_db()
    assert (domain.ds, domain.suspension, domain.version) == (stored, "", 1)
    proposal.refresh_from_db()
    assert proposal.state == state


def test_a_third_ds_set_under_our_publication_is_another_channel(zone):
    domain = a_domain(zone)
    a_proposal(domain, state="sent", old_ds=[], new_ds=[DS])
    take_in(zone, a_row(ds=[OTHER_DS]))
    domain.refresh_from_db()
    assert (domain.ds, domain.oob_change_at) == ([OTHER_DS], LATER)


def test_a_dump_from_before_our_publication_takes_nothing_back(zone):
    domain = a_domain(zone, ds=[DS])
    a_proposal(
        domain,
        state="settled",
        old_ds=[],
        new_ds=[DS],
        sent_at=NOW + timedelta(hours=1),
    )

    take_in(zone, a_row(), as_of=NOW)
    domain.refresh_from_db()
    assert (domain.ds, domain.suspension) == ([DS], "")

    take_in(zone, a_row(), as_of=NOW + timedelta(hours=2))
    domain.refresh_from_db()
    assert (domain.ds, domain.suspension) == ([], "OOB_REMOVAL")


def test_a_child_that_is_gone_keeps_its_story(zone):
    domain = a_domain(zone, ds=[DS])
    a_domain(zone, name="stays.test")
    open_one = a_proposal(domain, old_ds=[DS])

    summary = take_in(zone, a_row("stays.test"))

    assert counts(summary) == (0, 0, 1, 1, 0)
    domain.refresh_from_db()
    assert (domain.removed_at, domain.ds, domain.version) == (LATER, [], 2)
    open_one.refresh_from_db()
    assert open_one.state == State.STALE
    assert trail()[:1] == ["delegation.removed"]
    assert counts(take_in(zone, a_row("stays.test"))) == (0, 0, 0, 1, 0)


def test_a_child_that_is_back_is_new_in_all_that_protects_it(zone):
    domain = a_domain(zone, removed_at=NOW, suspension="OOB_REMOVAL", signed_since=NOW)

    summary = take_in(zone, a_row())

    assert counts(summary) == (0, 1, 0, 0, 0)
    domain.refresh_from_db()
    assert (domain.removed_at, domain.ns_changed_at) == (None, LATER)
    assert (domain.suspension, domain.signed_since, domain.version) == ("", None, 2)


def test_a_child_new_in_a_known_zone_has_its_quiet_time(zone):
    take_in(zone, a_row("first.test"))
    take_in(zone, a_row("first.test"), a_row("second.test"))

    assert Domain.objects.get(name="first.test").ns_changed_at is None
    assert Domain.objects.get(name="second.test").ns_changed_at == LATER


def test_a_bad_line_is_told_and_its_child_stays(zone):
    domain = a_domain(zone)
    take_in(zone, a_row(), a_row("b.test"), now=NOW)

    summary = take_in(
        zone,
        a_row("b.test"),
        BadLine(3, "no such type", parse_name("child.test")),
        BadLine(9, "not a name"),
    )

    assert counts(summary) == (0, 0, 0, 1, 2)
    assert summary.bad_lines == ((3, "no such type"), (9, "not a name"))
    domain.refresh_from_db()
    assert domain.removed_at is None


def test_too_many_removals_refuse_the_whole_source(zone):
    take_in(zone, *(a_row(f"c{n}.test") for n in range(4)), now=NOW)
    before = rows_of_everything()

    with pytest.raises(ImportRefused, match="3 of 4"):
        take_in(zone, a_row("c0.test"), a_row("new.test"))

    assert rows_of_everything() == before
    assert trail()[-1] == "import.refused"
    assert counts(take_in(zone, a_row("c0.test"), share=0.75)) == (0, 0, 3, 1, 0)


def test_an_empty_source_does_not_empty_the_zone(zone):
    take_in(zone, a_row(), now=NOW)
    with pytest.raises(ImportRefused):
        take_in(zone)


def test_a_source_that_breaks_off_changes_nothing(zone):
    take_in(zone, a_row(), now=NOW)
    before = rows_of_everything()

    def truncated():
        yield a_row("new.test")
        raise SourceRefused("the final SOA never came")

    with pytest.raises(ImportRefused, match="final SOA"):
        intake.take_in(
            zone, truncated(), Origin(kind="axfr"), Terms(actor=IMPORTER, now=LATER)
        )

    assert rows_of_everything() == before


@pytest.mark.parametrize("step", ["removed", "changed", "added"])
def test_an_import_that_dies_on_the_way_leaves_everything_as_it_was(zone, step):
    take_in(zone, a_row("a.test"), a_row("b.test"), a_row("c.test"), now=NOW)
    before = rows_of_everything()

    def die(at: str, _count: int) -> None:
        if at == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        intake.take_in(
            zone,
            [a_row("a.test"), a_row("b.test", ns=OTHER_NS), a_row("new.test")],
            Origin(kind="axfr"),
            Terms(actor=IMPORTER, now=LATER),
            die,
        )

    assert rows_of_everything() == before


def test_a_name_of_another_zone_of_ours_is_left_there(zone):
    elsewhere = a_zone("child.test")
    a_domain(elsewhere, name="deep.child.test")

    summary = take_in(zone, a_row("deep.child.test"), a_row("mine.test"))

    assert counts(summary) == (1, 0, 0, 0, 1)
    assert "another zone" in summary.bad_lines[0][1]


def test_a_zone_file_leaves_alone_what_only_the_registry_knows(zone):
    row = a_row(statuses=("serverHold",), registrar="R1")
    take_in(zone, row, complete=True, now=NOW)
    take_in(zone, a_row())

    domain = Domain.objects.get()
    assert (domain.statuses, domain.registrar) == (["serverHold"], "R1")
    assert domain.version == 1


def test_a_transfer_to_another_registrar_starts_the_quiet_time(zone):
    take_in(zone, a_row(registrar="R1"), complete=True, now=NOW)
    take_in(zone, a_row(registrar="R2"), complete=True)

    domain = Domain.objects.get()
    assert (domain.registrar, domain.ns_changed_at) == ("R2", LATER)
    assert "delegation.transferred" in trail()


def test_changes_of_an_import_are_told_in_each_childs_own_story(zone):
    a_domain(zone)
    take_in(zone, a_row(ns=OTHER_NS, ds=[DS]))

    stories = {
        entry.type: json.loads(bytes(entry.body))
        for entry in AuditEntry.objects.filter(stream="child:child.test.")
    }
    assert stories["delegation.ns-changed"]["data"]["new"] == list(OTHER_NS)
    assert stories["delegation.ds-changed"]["data"]["new"] == [DS]
    done = json.loads(bytes(AuditEntry.objects.get(type="import.done").body))
    assert done["stream"] == "zone:test."
    assert done["data"]["changed"] == 1


def test_no_table_of_an_import_is_left_behind(zone):
    take_in(zone, a_row())
    tables = connection.introspection.table_names(include_views=True)
    assert not [name for name in tables if name.startswith("import_")]


def test_progress_is_told_step_by_step(zone):
    told: list[tuple[str, int]] = []
    a_domain(zone, name="changes.test")
    intake.take_in(
        zone,
        [a_row(f"c{n}.test") for n in range(600)]
        + [a_row("changes.test", ns=OTHER_NS)],
        Origin(kind="axfr"),
        Terms(actor=IMPORTER, now=LATER),
        lambda step, count: told.append((step, count)),
    )
    assert told == [("read", 500), ("changed", 1), ("added", 600)]


def test_an_import_between_decisions_does_not_touch_settled_proposals(zone):
    domain = a_domain(zone)
    settled = a_proposal(domain, state="settled")
    take_in(zone, a_row(ns=OTHER_NS))
    assert Proposal.objects.get(pk=settled.pk).state == State.SETTLED
