"""What explodes ends one worker, and its neighbours are evaluated after it (S-20)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from bootstrap.services import evaluating
from tests.support.cases import a_case

if TYPE_CHECKING:
    from bootstrap.core.evaluation.case import Case

from .test_evaluating import Eyes, a_site

BEGIN = """
    import asyncio, hashlib, sys
    from dataclasses import replace
    from bootstrap.services import confining
    from bootstrap.services.evaluating import evaluate_all
    from tests.services.test_evaluating import Eyes, a_site
    from tests.support.cases import a_case
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, which may end as it likes."""
    whole = textwrap.dedent(BEGIN) + textwrap.dedent(script)
    return subprocess.run(
        [sys.executable, "-c", whole],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
    )


def test_s_20_other_code_that_never_comes_back_ends_the_process():
    """No handler in Python could: the system must."""
    told = run("""
        class Endless(Eyes):
            async def observe(self, case):
                hashlib.pbkdf2_hmac("sha256", b"", b"", 1_000_000_000)

        site = replace(a_site(Endless()), cpu_seconds=0.5)
        list(evaluate_all([(1, a_case())], site))
        print("never")
    """)

    assert told.returncode == -signal.SIGPROF
    assert told.stdout == ""


def test_s_20_waiting_and_much_work_in_pieces_end_nobody():
    told = run("""
        class Busy(Eyes):
            async def observe(self, case):
                for _ in range(8):
                    hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000)
                    await asyncio.sleep(0.3)
                return ()

        site = replace(a_site(Busy()), cpu_seconds=1.0)
        print(len(list(evaluate_all([(n, a_case()) for n in range(2)], site))) > 0)
    """)

    assert (told.returncode, told.stdout.strip()) == (0, "True"), told.stderr


def test_s_20_memory_beyond_the_limit_is_refused_and_the_process_lives():
    told = run("""
        confining.limit_memory(512)
        try:
            bytearray(2**31)
        except MemoryError:
            print("refused")
        confining.limit_memory(0)
        print(len(bytearray(2**20)))
    """)

    assert told.stdout.split() == ["refused", "1048576"], told.stderr


class TooMuch:
    """A case whose observations do not fit into memory."""

    delegation = a_case().delegation

    def __getattr__(self, name):
        raise MemoryError


def test_s_20_a_lack_of_memory_is_no_verdict_about_the_child():
    with pytest.raises(MemoryError):
        evaluating.judged(cast("Case", TooMuch()))


def test_s_20_nothing_is_watched_where_nothing_is_asked_for():
    site = replace(a_site(Eyes()), cpu_seconds=0.0)

    list(evaluating.evaluate_all([(1, a_case())], site))

    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
