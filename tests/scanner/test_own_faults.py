"""What is our own fault and must never look like theirs (S-14, S-46; P-2.23).

Each scene runs in a process of its own, whose descriptors or network it spoils.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap

import pytest

from tests.support import hostile
from tests.support.hostile import HostileServer

from .support import run

PRELUDE = """
import asyncio, resource
from bootstrap import clock
from bootstrap.core.dns.names import parse_name
from bootstrap.core.dns.records import RdataType
from bootstrap.core.evaluation.queries import Carrier, Query
from bootstrap.scanner.egress import Egress
from bootstrap.scanner.pacing import Limits
from tests.scanner.support import QUICK, TCP, a_query, run, transport_to
from tests.support import hostile
from tests.support.hostile import HostileServer

def ask_from_afar(*addresses):
    async def scene():
        async with transport_to(53, egress=Egress(), limits=QUICK) as transport:
            for address in addresses:
                for carrier in Carrier:
                    seen = await transport.ask(a_query(address, carrier=carrier))
                    print(seen.trouble, seen.attempts)
    run(scene)
"""


def output(scene: str, *, before: tuple[str, ...] = ()) -> list[str]:
    """Return the lines that a scene prints in a process of its own."""
    code = PRELUDE + textwrap.dedent(scene)
    done = subprocess.run(
        [*before, sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_a_shortage_of_descriptors_never_becomes_a_trouble():
    """S-14: 64 descriptors, 2,000 queries to 200 addresses."""
    short = """
        import sys
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        hold = [open("/dev/null") for _ in range(30)]  # fewer than room was made for
        async def scene():
            async with transport_to(int(sys.argv[1]), limits=Limits()) as transport:
                queries = [
                    a_query(f"127.7.{n % 200}.1", carrier=Carrier.TCP)
                    for n in range(1000)
                ]
                queries += [a_query("127.0.0.1")] * 1000
                asks = (transport.ask(query) for query in queries)
                for trouble in {s.trouble for s in await asyncio.gather(*asks)}:
                    print(trouble)
        run(scene)
        for held in hold:
            held.close()
    """
    code = PRELUDE + textwrap.dedent(short)

    async def scene():
        manners = (hostile.honest, hostile.tcp_honest, "0.0.0.0")  # noqa: S104 - all of loopback
        async with HostileServer(*manners) as server:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-W", "error", "-c", code, str(server.port)),
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await process.communicate()
            return out

    assert run(scene) == b"None\n"


needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="a network namespace needs root"
)


@needs_root
def test_without_a_route_both_families_are_our_own_fault():
    lines = output(
        'ask_from_afar("192.33.4.12", "2001:500:2::c")', before=("unshare", "-n")
    )

    assert lines == ["no-egress 1"] * 4


@needs_root
def test_one_unreachable_network_is_theirs_when_we_have_a_route():
    """The site has a default route; one destination is unreachable."""
    ip = (
        "ip link set lo up; ip link add d0 type dummy; ip link set d0 up;"
        " ip address add 198.18.0.1/24 dev d0; ip route add default via 198.18.0.2;"
        " ip route add unreachable 192.33.4.0/24; exec"
    )
    lines = output(
        'ask_from_afar("192.33.4.12")',
        before=("unshare", "-n", "sh", "-c", f'{ip} "$@"', "sh"),
    )

    assert lines == ["unreachable 3", "unreachable 3"]


@needs_root
def test_a_packet_filter_of_our_own_is_our_own_fault():
    ip = (
        "ip link set lo up; ip link add d0 type dummy; ip link set d0 up;"
        " ip address add 198.18.0.1/24 dev d0; ip route add default via 198.18.0.2;"
        " ip route add prohibit 192.33.4.0/24; exec"
    )
    lines = output(
        'ask_from_afar("192.33.4.12")',
        before=("unshare", "-n", "sh", "-c", f'{ip} "$@"', "sh"),
    )

    assert [line.split()[0] for line in lines] == ["no-egress", "no-egress"]
