"""The publisher as a command; the parent is absent, so that all of it is local."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from django.core.management import CommandError, call_command

from bootstrap.models import Proposal
from tests.services.builders import NOW, a_domain, a_zone
from tests.services.parent import an_approved

pytestmark = pytest.mark.django_db(transaction=True)


def test_once_sends_what_is_due_and_says_what_came_of_it(capsys, settings):
    from bootstrap import clock  # noqa: PLC0415 - beside its use

    an_approved(
        a_domain(a_zone(primary="127.0.0.1#9")),
        expires_at=clock.now().replace(year=2099),
        not_before=NOW.replace(year=2020),
    )
    Proposal.objects.get().scan.__class__.objects.update(started_at=clock.now())

    call_command("publisher", "--once")

    assert "1 deferred" in capsys.readouterr().out
    assert "has no primary or no TSIG key file" in (
        Proposal.objects.get().publications.get().detail
    )


@pytest.mark.parametrize("poll", ["0", "-1", "61", "x"])
def test_a_senseless_interval_is_refused(poll):
    with pytest.raises((CommandError, ValueError)):
        call_command("publisher", "--once", f"--poll={poll}")


def test_sigterm_ends_it_and_leaves_no_handler_behind():
    before = signal.getsignal(signal.SIGTERM)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()

    call_command("publisher", "--poll=30")

    timer.join()
    assert signal.getsignal(signal.SIGTERM) is before
