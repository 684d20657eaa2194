"""The product's promise, kept end to end on real servers.

AXFR from Knot → scan → approval by rule → UPDATE with TSIG → Knot signs
→ seen by us → and by Unbound and delv, which know nothing of us.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from tests.conftest import needs
from tests.support.daemons import Unbound, program
from tests.support.product import Product, until
from tests.support.world import PARENT, PARENT_SECONDARY, World

pytestmark = pytest.mark.system
RESOLVER = "127.53.9.1"
CHILDREN = ("good.example", "ed.example", "live.example")


@pytest.fixture
def resolver(world: World, tmp_path) -> Iterator[Unbound]:
    """The rest of the world."""
    needs("unbound", "dig", "delv")
    unbound = Unbound(
        tmp_path / "unbound",
        [RESOLVER],
        hints=world.hints.read_text(),
        anchor=world.anchors.read_text(),
    )
    with unbound as running:
        yield running


def is_authentic(name: str, rdtype: str = "SOA") -> bool:
    """Ask the resolver, and say whether it vouches for the answer (AD)."""
    command = [
        program("dig") or "dig",
        f"@{RESOLVER}",
        "+dnssec",
        "+tries=2",
        name,
        rdtype,
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    flags = next(line for line in printed.splitlines() if line.startswith(";; flags:"))
    assert "status: NOERROR" in printed, printed
    return " ad" in flags.split(";")[2]


def delv(world: World, name: str) -> str:
    """Return what delv concludes through the resolver, from the lab's anchor."""
    tag, algorithm, digest_type, digest = world.anchors.read_text().split()[2:6]
    anchor = world.folder / "delv.anchor"
    anchor.write_text(
        f'trust-anchors {{ . static-ds {tag} {algorithm} {digest_type} "{digest}"; }};\n'
    )
    command = [
        program("delv") or "delv",
        f"@{RESOLVER}",
        "-a",
        str(anchor),
        "+root=.",
        name,
        "SOA",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def is_secured(product: Product, name: str) -> bool:
    """Say whether the product itself calls the child secured."""
    return bool(product.json("show", name)["state"] == "secured")


def story(product: Product, name: str) -> str:
    """Return what helps to see why it is not."""
    return f"{product.manage('show', name)}\n{product.logs()}"


@pytest.fixture(params=["sqlite", "postgresql"])
def product(request, world: World, tmp_path) -> Product:
    """An installation that acts for example., approving by rule."""
    database = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        name = f"promise_{tmp_path.name.replace('-', '_')}".lower()
        server.psql(f'CREATE DATABASE "{name}"')
        database = server.url.rsplit("/", 1)[0] + f"/{name}"
    installed = Product(tmp_path / "product", world.environment(), database)
    installed.migrate()
    installed.manage(
        "zone",
        "add",
        "example",
        "--primary",
        PARENT,
        "--tsig-key",
        str(world.tsig_file),
        "--policy",
        "auto",
        "--server",
        PARENT,
        "--server",
        PARENT_SECONDARY,
        "--observe",
        "3",
        "--quiet",
        "0",
    )
    return installed


def test_an_insecure_delegation_becomes_secure_for_the_whole_world(
    world: World, product: Product, resolver: Unbound
):
    assert not any(is_authentic(name) for name in CHILDREN)
    assert "fully validated" not in delv(world, "good.example")

    product.manage(
        "import_delegations",
        "example",
        "--axfr",
        PARENT,
        "--tsig-key",
        str(world.tsig_file),
    )
    verdicts = {
        line["domain"]: line for line in product.json_lines("scan", "--zone", "example")
    }

    assert {name: verdicts[name]["outcome"] for name in CHILDREN} == dict.fromkeys(
        CHILDREN, "accept"
    ), verdicts
    assert verdicts["partial.example"]["outcome"] in {"retry", "reject"}
    assert "SIG_PARTIAL" in verdicts["partial.example"]["reasons"]
    assert verdicts["unsigned.example"]["outcome"] == "nothing"

    on_postgresql = product.database.startswith("postgres")
    with ExitStack() as running:
        running.enter_context(product.process("publisher"))
        for _ in range(2 if on_postgresql else 1):
            running.enter_context(product.process("worker"))
        for name in CHILDREN:
            until(
                partial(is_secured, product, name),
                seconds=120,
                told=partial(story, product, name),
            )

    assert all(is_authentic(name) for name in CHILDREN)
    assert "fully validated" in delv(world, "good.example")
    assert not is_authentic("partial.example")
