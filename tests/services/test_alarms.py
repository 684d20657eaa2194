from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.models import Alarm, AuditEntry
from bootstrap.services import alarms

from .builders import NOW, a_domain, a_person

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def types() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("type", flat=True))


def test_one_cause_is_one_open_alarm_however_often_it_is_seen():
    domain = a_domain()
    for at in (NOW, LATER):
        alarms.open_alarm("SIG_BOGUS", subject=domain.name, domain=domain, now=at)

    alarm = Alarm.objects.get()
    assert (alarm.times_seen, alarm.opened_at, alarm.last_seen_at) == (2, NOW, LATER)
    assert types() == ["alarm.opened"]
    assert AuditEntry.objects.get().stream == domain.stream


def test_a_closed_alarm_comes_back_as_a_new_one():
    alarms.open_alarm("X_CLOCK", subject="clock", now=NOW)
    assert alarms.close_alarm("X_CLOCK", subject="clock", now=LATER)
    assert not alarms.close_alarm("X_CLOCK", subject="clock", now=LATER)
    alarms.open_alarm("X_CLOCK", subject="clock", now=LATER)

    assert Alarm.objects.count() == 2
    assert Alarm.objects.open().count() == 1
    assert types() == ["alarm.opened", "alarm.closed", "alarm.opened"]


def test_an_acknowledged_alarm_stays_open_and_says_who_saw_it():
    alarm = alarms.open_alarm("X_CLOCK", subject="clock", now=NOW)
    alarms.acknowledge(alarm, actor=a_person("ada"), comment="NTP down", now=LATER)

    alarm.refresh_from_db()
    assert alarm.closed_at is None
    assert (alarm.acknowledged_by, alarm.comment) == ("ada", "NTP down")
    assert types() == ["alarm.opened", "alarm.acknowledged"]


def test_an_alarm_that_has_ended_cannot_be_acknowledged():
    alarm = alarms.open_alarm("X_CLOCK", subject="clock", now=NOW)
    alarms.close_alarm("X_CLOCK", subject="clock", now=LATER)

    with pytest.raises(alarms.AlarmClosed):
        alarms.acknowledge(alarm, actor=a_person(), comment="", now=LATER)
    assert types() == ["alarm.opened", "alarm.closed"]
