"""Any number of witnesses: asked alike, counted as the policy says (S-92)."""

from __future__ import annotations

import contextlib

import pytest

from bootstrap.core.tlog import notes, policy
from bootstrap.models import Alarm, Checkpoint, Cosignature
from bootstrap.services import chain, keeping, signing, witnessing
from tests.support.witnesses import running

from . import test_keeping
from .test_keeping import ORIGIN, a_keeper, write

time = test_keeping.time
pytestmark = pytest.mark.django_db
NAMES = ("auditor", "registrars", "elsewhere")


@pytest.fixture
def three(tmp_path, time):
    """Three witnesses of a log, of which two are enough."""
    key = a_keeper(tmp_path, time).signer.public.to_text()
    with contextlib.ExitStack() as stack:
        found = {
            name: stack.enter_context(
                running(tmp_path / name, name, origin=ORIGIN, key=key)
            )
            for name in NAMES
        }
        lines = [each.line for each in found.values()]
        lines += [f"group enough 2 {' '.join(NAMES)}", "quorum enough"]
        yield policy.read("\n".join(lines)), found


def deaf(witness) -> None:
    """Let a witness no longer know our key."""
    witness.log.public = bytes(32)


def test_each_witness_signs_and_its_line_leaves_with_the_checkpoint(
    tmp_path, time, three
):
    trusted, found = three
    keeper = a_keeper(tmp_path, time, trusted)
    write(3)
    keeper.round()

    note = notes.read(keeper.files.checkpoint() or "")
    size = Checkpoint.objects.get().size
    assert {each.log.last()[0] for each in found.values()} == {size}
    for witness in trusted.witnesses.values():
        assert note.check(witness.key, signing.verify)
    assert Cosignature.objects.count() == 3


def test_two_of_three_are_enough_and_one_is_not(tmp_path, time, three):
    trusted, found = three
    keeper = a_keeper(tmp_path, time, trusted)
    deaf(found["elsewhere"])
    write(1)
    keeper.round()
    assert witnessing.enough(trusted, Checkpoint.objects.get())

    deaf(found["registrars"])
    time.pass_(minutes=2)
    write(1)
    keeper.round()
    assert not witnessing.enough(trusted, Checkpoint.objects.latest())
    time.pass_(hours=2)
    keeper.round()
    assert Alarm.objects.open().filter(subject=chain.WITNESSES).exists()


def test_the_quorum_is_waited_for_an_hour(tmp_path, time, three):
    trusted, found = three
    keeper = a_keeper(tmp_path, time, trusted)
    for witness in found.values():
        deaf(witness)
    write(1)
    keeper.round()
    time.pass_(minutes=50)
    keeper.round()

    assert keeping.QUORUM_WITHIN.total_seconds() == 3600
    assert not Alarm.objects.open().filter(subject=chain.WITNESSES).exists()
