"""The clock's own word about NTP: what the kernel says, and nothing where it refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap import clock
from bootstrap.clock import NANOSECONDS, UNSYNCHRONISED, Timex


def kernel(answer: int = 0, **fields: int):
    """Return a system that tells this, and that nobody tries to set."""

    def adjtimex(told: Timex) -> int:
        assert told.modes == 0  # a query
        for name, value in fields.items():
            setattr(told, name, value)
        return answer

    return adjtimex


@pytest.mark.parametrize(("status", "offset"), [(NANOSECONDS, -1_500_000), (0, -1_500)])
def test_p_8_7_offset_and_error_are_read_in_the_units_of_the_kernel(status, offset):
    found = clock.discipline(kernel(status=status, offset=offset, maxerror=2_500))

    assert found is not None
    assert found.source == "kernel"
    assert found.synchronised
    assert found.offset == timedelta(microseconds=-1_500)
    assert found.error == timedelta(microseconds=2_500)


def test_p_8_7_a_clock_that_nobody_corrects_is_told_apart():
    found = clock.discipline(
        kernel(answer=5, status=UNSYNCHRONISED, maxerror=16_000_000)
    )

    assert found is not None
    assert not found.synchronised


@pytest.mark.parametrize("system", [None, kernel(answer=-1)], ids=["none", "refusal"])
def test_a_system_that_does_not_say_is_no_fault(system):
    assert clock.discipline(system) is None


def test_the_real_kernel_is_asked_without_setting_anything():
    before = clock.discipline()
    after = clock.discipline()

    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert timedelta(0) <= before.error <= timedelta(days=1)
        assert after.source == before.source
