"""A dossier with real evidence: judged again, and held to what was approved."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache

import pytest

from bootstrap.core.dns.names import unrooted
from bootstrap.core.dns.records import Ds
from bootstrap.core.dnssec.anchors import Anchor
from bootstrap.core.evaluation.verdict import Outcome
from bootstrap.core.evidence import bundle, dossiers
from bootstrap.core.evidence.__main__ import main
from tests.support.dossiers import LIFE, Change, Signer, Step, move, octets, spoil

from .test_shown import answer_of
from .test_verify import good

KEY = Signer().public


@cache
def change() -> Change:
    """Return the change that the evidence of an accepted child asks for."""
    evidence = good()
    (ds,) = (found.to_text() for found in evidence.verdict.candidate)
    child = unrooted(evidence.case.delegation.child)
    return Change(child, ds, bundle.encode(evidence))


def test_evidence_that_asks_for_what_was_approved_holds():
    found = dossiers.check(octets(LIFE, change()), KEY)

    assert found.faults == ()
    assert [each.reproduced for each in found.evidence] == [True]
    assert found.checked is not None
    assert found.checked.state == "settled"


FORGERIES = {
    "another DS set": ({"ds": "1 13 2 " + "00" * 32}, "DS set"),
    "another child": ({"child": "other.example"}, "child"),
    "another method": ({"auth_method": "RFC7344_CHAIN"}, "method"),
    "octets that are no bundle": ({"bundle": b"no bundle"}, "seal"),
}


@pytest.mark.parametrize(("spoiled", "named"), FORGERIES.values(), ids=FORGERIES)
def test_a_change_that_the_evidence_does_not_ask_for_is_refused(spoiled, named):
    found = dossiers.check(octets(LIFE, replace(change(), **spoiled)), KEY)

    assert named in " ".join(found.faults)


def test_evidence_whose_verdict_does_not_come_out_again_is_refused():
    verdict = replace(good().verdict, outcome=Outcome.HOLD)
    forged = bundle.encode(replace(good(), verdict=verdict))

    found = dossiers.check(octets(LIFE, replace(change(), bundle=forged)), KEY)

    assert "judged again, outcome is" in " ".join(found.faults)


def test_what_a_person_asked_for_needs_no_evidence_that_asks_for_it():
    by_hand = replace(change(), auth_method="MANUAL", ds="1 13 2 " + "00" * 32)

    assert dossiers.check(octets(LIFE, by_hand), KEY).faults == ()


def test_a_move_that_no_state_allows_is_refused():
    steps = (*spoil(4, data=move(3, "approved", "settled"))[:5],)

    found = dossiers.check(octets(steps, change()), KEY)

    assert found.faults == (
        "entries/000000006.json: nothing goes from approved to settled",
    )


def seen(ds: list[str], message: bytes | None = None) -> tuple[Step, ...]:
    """Return the life of the change, in which a server of the parent showed this."""
    digest = hashlib.sha256(message or answer()).hexdigest()
    facts = {"servers": {"192.0.2.53": ds}, "messages": {"192.0.2.53": digest}}
    return spoil(6, data={**move(5, "sent", "visible"), **facts})


def answer() -> bytes:
    """Return what a server of the parent answers of a child without DS."""
    return answer_of(good().case)


def with_answer(steps: tuple[Step, ...]) -> bytes:
    messages = {hashlib.sha256(answer()).hexdigest(): answer()}
    return octets(steps, change(), messages=messages)


def test_p_8_10_what_the_parents_servers_showed_is_read_and_told(tmp_path, capsys):
    path = tmp_path / "dossier"
    path.write_bytes(with_answer(seen([])))

    status = main(["dossier", str(path), "--key", KEY.to_text()])

    assert status == 0
    assert "192.0.2.53 showed no DS (signed by the parent)" in capsys.readouterr().out
    assert main(["dossier", str(path), "--key", KEY.to_text(), "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["shown"]
    assert (shown["server"], shown["ds"], shown["signed"]) == ("192.0.2.53", [], True)


def test_p_8_10_a_message_that_shows_another_set_than_the_log_says_is_refused():
    found = dossiers.check(with_answer(seen([change().ds])), KEY)

    (fault,) = found.faults
    assert fault.startswith("entries/000000008.json: 192.0.2.53 showed ")
    assert fault.endswith(", but its message shows no DS")


def test_p_8_10_no_ds_where_the_message_has_another_answer_is_refused():
    message = answer()[:20]
    digest = hashlib.sha256(message).hexdigest()
    data = octets(seen([], message), change(), messages={digest: message})

    (fault,) = dossiers.check(data, KEY).faults

    assert "showed no DS, but its message is no answer" in fault


def test_p_8_10_what_no_key_of_the_parent_signed_is_attested_only():
    stranger = (Anchor(Ds(1, 13, 2, bytes(32))),)

    found = dossiers.check(with_answer(seen([])), KEY, anchors=stranger)

    assert "(attested only: the evidence proves no key of the parent)" in " ".join(
        dossiers.lines(found)
    )


def test_p_8_10_no_octet_of_a_message_can_be_changed():
    data = with_answer(seen([]))
    start = data.index(answer())

    for place in range(start, start + len(answer())):
        changed = bytearray(data)
        changed[place] ^= 1
        assert not dossiers.check(bytes(changed), KEY).holds


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "dossier"
    path.write_bytes(octets(LIFE, change()))
    return path


def test_the_command_needs_nothing_but_the_file_and_the_key(file, capsys):
    (file.parent / "key").write_text(KEY.to_text() + "\n")

    status = main(["dossier", str(file), "--key", str(file.parent / "key")])

    told = capsys.readouterr().out
    assert status == 0
    assert "everything holds" in told
    assert "publication.sent by system scanner" in told


def test_the_command_tells_the_same_to_machines(file, capsys):
    assert main(["dossier", str(file), "--key", KEY.to_text(), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["holds"], told["state"], told["size"]) == (True, "settled", 17)
    assert len(told["entries"]) == 7


def test_a_dossier_that_nobody_took_says_nothing_of_it(file, capsys):
    file.write_bytes(octets(LIFE, change(), exported=""))

    assert main(["dossier", str(file), "--key", KEY.to_text()]) == 0
    assert "attested" not in capsys.readouterr().out


def test_the_command_refuses_another_log_and_damage(file, capsys):
    other = Signer(seed=b"1" * 32).public.to_text()

    assert main(["dossier", str(file), "--key", other]) == 1
    assert "has not signed" in capsys.readouterr().out
    file.write_bytes(file.read_bytes()[:-1])
    assert main(["dossier", str(file), "--key", KEY.to_text()]) == 1
    assert "DOES NOT HOLD" in capsys.readouterr().out
    assert main(["dossier", str(file), "--key", KEY.to_text(), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["proposal"] is None
    with pytest.raises(SystemExit):
        main(["dossier", str(file), "--key", "nonsense"])


def test_what_is_no_dossier_is_told_in_a_line():
    found = dossiers.check(b"", KEY)

    assert len(list(dossiers.lines(found))) == len(found.faults) == 1


def test_who_took_it_is_told_as_attested_only():
    taken = dossiers.check(octets(LIFE, change(), exported="by ada"), KEY)
    plain = dossiers.check(octets(LIFE, change(), exported=""), KEY)

    assert list(dossiers.lines(taken))[-1] == "attested only: by ada"
    assert "attested only" not in " ".join(dossiers.lines(plain))
