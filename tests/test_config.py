"""Settings as values: what is meant is read, nonsense is refused by name."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

import pytest
from django.conf import settings as django_settings

from bootstrap import config


@pytest.fixture
def with_values(settings, tmp_path):
    hints, anchors = tmp_path / "hints", tmp_path / "anchors"
    hints.touch()
    anchors.touch()

    def change(**values: str) -> None:
        settings.BOOTSTRAP = {
            **django_settings.BOOTSTRAP,
            "DNS_ROOT_HINTS": str(hints),
            "DNS_TRUST_ANCHORS": str(anchors),
            **values,
        }

    change()
    return change


def test_the_defaults_fit_the_internet(with_values):
    found = config.dns()

    assert found.port == 53
    assert found.allowed == ()
    assert found.lab_rate == 20.0


def test_a_laboratory_is_described_by_its_networks_and_pace(with_values):
    with_values(
        DNS_ALLOWED_NETWORKS="127.0.0.0/8, ::1/128",
        DNS_LAB_PACE="unlimited",
        DNS_PORT="5353",
        DNS_SKIP_FAMILIES="6",
    )

    found = config.dns()

    assert found.allowed == (
        ipaddress.ip_network("127.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    assert (found.lab_rate, found.port, found.skip_families) == (0.0, 5353, (6,))


NONSENSE = {
    "a port of zero": ("DNS_PORT", "0"),
    "a port in words": ("DNS_PORT", "domain"),
    "a network with host bits": ("DNS_ALLOWED_NETWORKS", "127.0.0.1/8"),
    "a denied network that is none": ("DNS_DENIED_NETWORKS", "10.0.0.0/33"),
    "a negative pace": ("DNS_LAB_PACE", "-1"),
    "a pace that is no number": ("DNS_LAB_PACE", "nan"),
    "a source that is no address": ("DNS_SOURCE_ADDRESSES", "eth0"),
    "a family that does not exist": ("DNS_SKIP_FAMILIES", "5"),
    "no family left": ("DNS_SKIP_FAMILIES", "4,6"),
    "hints that are not there": ("DNS_ROOT_HINTS", "/nowhere/hints"),
    "anchors that are not there": ("DNS_TRUST_ANCHORS", "/nowhere/anchors"),
}


@pytest.mark.parametrize(("variable", "value"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_with_the_name_of_the_variable(
    with_values, variable, value
):
    with_values(**{variable: value})

    with pytest.raises(config.Unusable, match=f"^{variable}: ") as refusal:
        config.dns()

    assert refusal.value.variable == variable


def test_a_drain_ends_before_its_leases_do(with_values):  # P-7.84
    with_values(SCAN_BURST_SECONDS="240", SCAN_LEASE_SECONDS="240")

    with pytest.raises(config.Unusable, match="SCAN_BURST_SECONDS"):
        config.scanning()


def test_the_lease_outlives_no_redelivery_of_its_task(with_values):
    lease = config.scanning().lease

    assert lease < timedelta(seconds=django_settings.Q_CLUSTER["retry"])
    assert (
        config.scanning().burst.total_seconds() < django_settings.Q_CLUSTER["timeout"]
    )
