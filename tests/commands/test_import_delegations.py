from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from bootstrap.models import AuditEntry, Domain, WorkItem, Zone
from tests.services.builders import a_zone

pytestmark = pytest.mark.django_db

ZONE = """\
$ORIGIN example.
$TTL 3600
@ SOA ns1 hostmaster 2026112401 7200 3600 1209600 3600
  NS ns1
ns1 A 192.0.2.1
good NS ns1.op.test.
     NS ns2.op.test.
     DS 12345 13 2 {digest}
glued NS ns.glued
ns.glued A 192.0.2.7
""".format(digest="AB" * 32)
CSV = """\
name,ns,glue,ds,registrar,status
good.example,ns1.op.test ns2.op.test,,12345/13/2/{digest},R1,ok
held.example,ns1.op.test,,,R1,clientHold clientUpdateProhibited
odd.example,ns1.op.test,,,R1,unheardOf
""".format(digest="AB" * 32)


@pytest.fixture(autouse=True)
def zone() -> Zone:
    return a_zone("example")


@pytest.fixture
def zone_file(tmp_path):
    path = tmp_path / "example.zone"
    path.write_text(ZONE)
    return path


def told(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_zone_file_becomes_delegations(zone_file, capsys):
    call_command("import_delegations", "example.", "--file", str(zone_file), "--json")

    found = told(capsys)
    assert (found["added"], found["bad"], found["serial"]) == (2, 0, 2026112401)
    good = Domain.objects.get(name="good.example")
    assert good.nameservers == ["ns1.op.test", "ns2.op.test"]
    assert good.ds == ["12345 13 2 " + "AB" * 32]
    glued = Domain.objects.get(name="glued.example")
    assert glued.glue == [["ns.glued.example", "192.0.2.7"]]
    assert WorkItem.objects.count() == 2


def test_again_changes_nothing_and_says_so(zone_file, capsys):
    for _ in range(2):
        call_command("import_delegations", "example", "--file", str(zone_file))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("example: 2 added, 0 changed, 0 removed, 0 unchanged")
    assert lines[1].startswith("example: 0 added, 0 changed, 0 removed, 2 unchanged")


def test_a_bad_line_is_told_with_number_and_reason_and_the_rest_goes_on(
    tmp_path, capsys
):
    path = tmp_path / "d.csv"
    path.write_text(CSV)
    call_command("import_delegations", "example", "--csv", str(path))

    out, err = capsys.readouterr()
    assert "2 added" in out
    assert "1 bad lines" in out
    assert "line 4: unknown status: unheardOf" in err
    held = Domain.objects.get(name="held.example")
    assert held.statuses == ["clientHold", "clientUpdateProhibited"]
    assert held.registrar == "R1"


def test_too_many_removals_are_refused_and_can_be_allowed(tmp_path, zone_file, capsys):
    call_command("import_delegations", "example", "--file", str(zone_file))
    less = tmp_path / "less.zone"
    less.write_text(ZONE.replace("glued NS ns.glued\n", ""))

    with pytest.raises(
        CommandError, match=r"1 of 2 .* would be removed.*--max-removed"
    ):
        call_command("import_delegations", "example", "--file", str(less))
    assert Domain.objects.delegated().count() == 2

    call_command(
        "import_delegations", "example", "--file", str(less), "--max-removed", "0.5"
    )
    assert Domain.objects.delegated().count() == 1


REFUSED = {
    "an unknown zone": (("nowhere", "--csv", "/x"), "no zone of ours"),
    "no file": (("example", "--file", "/nowhere/f"), "nowhere"),
    "no server": (("example", "--axfr", "somewhere"), "somewhere"),
    "nobody listens": (("example", "--axfr", "127.0.0.1#9"), "127.0.0.1#9"),
    "no key file": (
        ("example", "--axfr", "127.0.0.1#9", "--tsig-key", "/nowhere/k"),
        "nowhere/k",
    ),
    "a key for a file": (("example", "--csv", "/x", "--tsig-key", "/k"), "--axfr"),
    "a share of two": (("example", "--csv", "/x", "--max-removed", "2"), "share"),
    "no source": (("example",), "--file"),
    "two sources": (("example", "--csv", "/x", "--file", "/x"), "not allowed"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_whole(arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("import_delegations", *arguments)
    assert not Domain.objects.exists()


def test_a_refused_source_is_an_entry_of_the_trail():
    with pytest.raises(CommandError):
        call_command("import_delegations", "example", "--file", "/nowhere/f")
    entry = AuditEntry.objects.get()
    assert (entry.type, entry.stream) == ("import.refused", "zone:example.")


def test_no_progress_is_shown_where_nobody_looks(zone_file, capsys):
    call_command("import_delegations", "example", "--file", str(zone_file))
    assert capsys.readouterr().err == ""


def test_a_terminal_sees_how_far_it_is(zone_file, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    call_command("import_delegations", "example", "--file", str(zone_file))
    assert "adding" in capsys.readouterr().err
