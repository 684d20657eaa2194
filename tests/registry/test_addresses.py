from __future__ import annotations

import pytest

from bootstrap.registry.addresses import Endpoint, InvalidEndpoint, parse_endpoint

GOOD = {
    "192.0.2.1": Endpoint("192.0.2.1", 53),
    " 192.0.2.1#5353 ": Endpoint("192.0.2.1", 5353),
    "2001:DB8::1": Endpoint("2001:db8::1", 53),
    "2001:db8::1#65535": Endpoint("2001:db8::1", 65_535),
}


@pytest.mark.parametrize(("text", "endpoint"), GOOD.items())
def test_an_address_with_or_without_port_is_an_endpoint(text, endpoint):
    assert parse_endpoint(text) == endpoint


def test_without_a_default_the_usual_port_stays_open():
    assert parse_endpoint("192.0.2.1", None) == Endpoint("192.0.2.1", None)
    assert str(parse_endpoint("192.0.2.1", None)) == "192.0.2.1"
    assert str(parse_endpoint("192.0.2.1#54")) == "192.0.2.1#54"


BAD = ["", "#53", "host", "192.0.2.256", "192.0.2.1#", "192.0.2.1#0", "192.0.2.1#65536"]


@pytest.mark.parametrize("text", [*BAD, "192.0.2.1#x", "192.0.2.1#²", "192.0.2.1:53"])
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidEndpoint):
        parse_endpoint(text)
