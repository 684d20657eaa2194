"""Which backend a zone gets, and what is said when it can have none."""

from __future__ import annotations

import logging

import pytest

from bootstrap.core.dns.names import parse_name
from bootstrap.registry.absent import AbsentRegistry
from bootstrap.registry.addresses import Endpoint
from bootstrap.registry.dynamic_update import DynamicUpdate
from bootstrap.registry.ports import RegistryUnconfigured
from bootstrap.registry.rows import SourceRefused
from bootstrap.services.parents import registry_for, transfer_of
from bootstrap.services.sources import Source, SourceKind, open_source
from tests.conftest import needs
from tests.registry.primaries import ADDRESS, STRANGER, UPDATER, knot

from .builders import a_zone
from .parent import CHILD

pytestmark = pytest.mark.django_db


def test_a_zone_with_primary_and_key_is_changed_by_dynamic_update(tmp_path):
    key_file = UPDATER.file(tmp_path / "key")
    found = registry_for(a_zone(primary="192.0.2.1#5353", tsig_key_file=str(key_file)))

    assert isinstance(found, DynamicUpdate)
    assert found.zone == parse_name("test")
    assert found.primary == Endpoint("192.0.2.1", 5353)


def test_a_key_file_that_everybody_can_read_is_used_and_logged(
    tmp_path, caplog
):  # S-80
    key_file = UPDATER.file(tmp_path / "key")
    key_file.chmod(0o644)
    with caplog.at_level(logging.WARNING, "bootstrap.publisher"):
        registry_for(a_zone(primary="192.0.2.1", tsig_key_file=str(key_file)))

    assert str(key_file) in caplog.text
    assert UPDATER.secret not in caplog.text


LACKING = {
    "no primary": ({"tsig_key_file": "key"}, "no primary or no TSIG key"),
    "no key": ({"primary": "192.0.2.1"}, "no primary or no TSIG key"),
    "no such file": (
        {"primary": "192.0.2.1", "tsig_key_file": "/none"},
        "No such file",
    ),
    "no address": ({"primary": "localhost", "tsig_key_file": "KEY"}, "address"),
}


@pytest.mark.parametrize(("columns", "why"), LACKING.values(), ids=LACKING)
def test_a_zone_that_is_badly_configured_says_so_when_it_is_used(
    tmp_path, columns, why
):
    if columns.get("tsig_key_file") == "KEY":
        columns = {**columns, "tsig_key_file": str(UPDATER.file(tmp_path / "key"))}
    found = registry_for(a_zone(**columns))

    assert isinstance(found, AbsentRegistry)
    for ask in (found.delegation, found.read_back):
        with pytest.raises(RegistryUnconfigured, match=why):
            ask(CHILD)


def test_both_keys_of_a_rotation_are_at_hand(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    key_file = tmp_path / "both"
    UPDATER.file(first)
    STRANGER.file(second)
    key_file.write_text(first.read_text() + second.read_text())
    key_file.chmod(0o400)

    found = registry_for(a_zone(primary="192.0.2.1", tsig_key_file=str(key_file)))

    assert isinstance(found, DynamicUpdate)
    assert found.successor is not None
    assert [found.key.name, found.successor.name] == [
        parse_name(UPDATER.name),
        parse_name(STRANGER.name),
    ]


@pytest.mark.parametrize("columns", [{}, {"primary": "127.0.0.1#9"}])
def test_a_transfer_that_cannot_be_had_is_refused(columns):
    with pytest.raises(SourceRefused):
        transfer_of(a_zone(**columns))


@pytest.mark.system
def test_a_transfer_takes_the_key_of_a_rotation_that_the_primary_knows(tmp_path):
    needs("knotd", "keymgr")
    alone, both = tmp_path / "alone", tmp_path / "both"
    STRANGER.file(alone)
    both.write_text(alone.read_text() + UPDATER.file(tmp_path / "known").read_text())
    where, zone = f"{ADDRESS}#5396", a_zone()

    with knot(tmp_path / "knot", 5396):
        taken = open_source(Source(SourceKind.AXFR, where, both), zone)
        with pytest.raises(SourceRefused, match="NOTAUTH"):
            open_source(Source(SourceKind.AXFR, where, alone), zone)

    assert (taken.serial or 0) >= 2026112401
