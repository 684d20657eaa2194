"""The endpoint as a process: told by real messages, ended by SIGTERM (RFC 9859)."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import dns.exception
import dns.message
import dns.opcode
import dns.query
import pytest

from tests.support.product import Product, until

pytestmark = pytest.mark.system
HOST, PORT = "127.54.9.1", 5300


def a_notify(name):
    message = dns.message.make_query(name, "CDS")
    message.set_opcode(dns.opcode.NOTIFY)
    return message


def answers(ask, name):
    """Send one notification; return the rcode, or None when nothing comes."""
    try:
        answer = ask(a_notify(name), HOST, port=PORT, timeout=2, ignore_trailing=True)
    except (dns.exception.Timeout, OSError):
        return None
    return answer.rcode()


def triggers(product):
    """Return why each child is due, by name."""
    path = product.database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        return dict(
            database.execute(
                "SELECT d.name, w.trigger FROM bootstrap_workitem w"
                " JOIN bootstrap_domain d ON d.id = w.domain_id"
            )
        )


def test_p_6_10_children_are_due_at_once_when_their_operators_say_so(tmp_path):
    product = Product(tmp_path / "product", {})
    product.migrate()
    product.manage("zone", "add", "test", "--primary", "127.0.0.1")
    listed = tmp_path / "children.csv"
    rows = [f"{label}.test,ns1.op.example,,,," for label in ("udp", "tcp", "calm")]
    listed.write_text("\n".join(["name,ns,glue,ds,registrar,status", *rows]) + "\n")
    product.manage("import_delegations", "test", "--csv", str(listed))

    with product.process("notify", f"{HOST}#{PORT}") as process:
        until(
            lambda: answers(dns.query.udp, "udp.test") == 0,
            seconds=20,
            told=product.logs,
        )
        assert answers(dns.query.tcp, "tcp.test") == 0
        assert answers(dns.query.udp, "unknown.test") == 0
        process.terminate()
        assert process.wait(10) == 0

    found = triggers(product)
    assert (found["udp.test"], found["tcp.test"]) == ("notify", "notify")
    assert found.get("calm.test") != "notify"
    assert "3 heard" in product.logs()


def test_a_place_that_cannot_be_listened_at_is_told(tmp_path):
    product = Product(tmp_path / "product", {})
    product.migrate()

    product.manage("notify", "somewhere", expect=2)
    product.manage("notify", "192.0.2.1#5300", expect=1)
