"""Signals listed from BIND, NSD and PowerDNS, as operators run them (P-1.42)."""

from __future__ import annotations

import json

import pytest

from tests.support.product import Product
from tests.support.world import PARENT, World

pytestmark = pytest.mark.system


def test_real_servers_are_transferred_or_walked(world: World, tmp_path):
    product = Product(tmp_path / "product", world.environment(), "")
    product.migrate()
    key = ("--tsig-key", str(world.tsig_file))
    product.manage("zone", "add", "example", "--primary", PARENT, *key)
    product.manage("import_delegations", "example", "--axfr", PARENT, *key)

    told = {
        line["nameserver"]: line
        for line in map(json.loads, product.manage("discover", "--json").splitlines())
    }

    assert {line["ending"] for line in told.values()} == {"complete"}
    # BIND gives its zones to anybody; NSD to nobody, and is walked instead.
    assert told["ns1.op1.net"]["way"] == "transfer"
    assert told["ns2.op2.net"]["way"] == "walk"
    assert set(told["ns1.op1.net"]["new"]) >= {"good.example", "ed.example"}
    assert "partial.example" in told["ns1.op1.net"]["new"]
    assert "partial.example" not in told["ns2.op2.net"]["new"]
