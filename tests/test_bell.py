"""The queue: rings roll back, schedules are a fixed list, foreign tasks never run."""

from __future__ import annotations

import inspect

import pytest
from django.db import transaction
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.signals import post_execute
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from bootstrap import bell, tasks

pytestmark = pytest.mark.django_db


def test_a_ring_is_lost_with_its_transaction():
    with transaction.atomic():
        bell.ring(bell.Work.SCANS)
        transaction.set_rollback(True)

    assert not OrmQ.objects.exists()


def test_every_work_is_a_task_that_exists():
    for work in bell.Work:
        module, _, name = work.value.rpartition(".")
        assert module == tasks.__name__
        assert callable(getattr(tasks, name))


def test_no_task_is_a_coroutine_which_the_queue_could_not_hand_back():
    """F-9: an `async def` cannot be pickled, and stays on the queue for ever."""
    for work in bell.Work:
        task = getattr(tasks, work.value.rpartition(".")[2])
        assert not inspect.iscoroutinefunction(task)
        assert not inspect.isasyncgenfunction(task)


def test_a_cluster_shows_life_to_its_watcher_when_a_task_is_settled(
    tmp_path, monkeypatch
):
    life = tmp_path / "life"
    monkeypatch.setenv(bell.LIFE, str(life))
    bell.show_life()
    try:
        assert not life.exists()
        post_execute.send(sender="django_q", task={"success": True})
        assert life.exists()
    finally:
        assert post_execute.disconnect(dispatch_uid="bootstrap.life")


def test_a_cluster_without_a_watcher_shows_nothing(monkeypatch):
    monkeypatch.delenv(bell.LIFE, raising=False)

    bell.show_life()

    assert not post_execute.disconnect(dispatch_uid="bootstrap.life")


def test_schedules_are_made_once_and_foreign_ones_removed():
    Schedule.objects.create(name="evil", func="os.system", args="('true',)")
    Schedule.objects.create(name="scans", func="os.system")

    bell.keep_schedules()
    bell.keep_schedules()

    assert dict(Schedule.objects.values_list("name", "func")) == {
        name: turn.work.value for name, turn in bell.TURNS.items()
    }


def test_what_is_rung_reaches_a_worker_with_no_arguments():
    bell.ring(bell.Work.CANARY)

    ((_key, payload),) = get_broker().dequeue()

    task = SignedPackage.loads(payload)
    assert (task["func"], task["args"], task["kwargs"]) == (
        bell.Work.CANARY.value,
        (),
        {},
    )


FOREIGN = {
    "another function": ("os.system", ()),
    "ours with an argument": (bell.Work.SCANS.value, ("x",)),
}


@pytest.mark.parametrize(("func", "arguments"), FOREIGN.values(), ids=FOREIGN)
def test_a_task_that_is_not_ours_never_reaches_a_worker(func, arguments):
    """S-79: the worker would run whatever dotted path a row names."""
    async_task(func, *arguments)

    assert not get_broker().dequeue()
    assert not OrmQ.objects.exists()


def test_a_task_signed_with_another_key_is_dropped():
    """S-78."""
    bell.ring(bell.Work.CANARY)
    row = OrmQ.objects.get()
    OrmQ.objects.update(
        payload=row.payload[:-1] + ("A" if row.payload[-1] != "A" else "B")
    )

    assert not get_broker().dequeue()
    assert not OrmQ.objects.exists()
