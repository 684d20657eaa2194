"""Write the first inputs of every target: `python -m fuzz.seeds` (from the tests' own).

They are what the laboratory's servers say, and well-formed files of every kind.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

from bootstrap.core.evaluation.verdict import Outcome, judge
from bootstrap.core.evidence import bundle
from bootstrap.core.evidence.bundle import Bundle
from bootstrap.lab.assembly import assemble
from bootstrap.lab.keys import Keyring
from bootstrap.lab.network import Network
from bootstrap.lab.scenes import demo_world
from tests.support.rehearsal import NOW, Rehearsal, delegation_of

from .targets import ACCEPTED

CORPUS = Path(__file__).parent / "corpus"
DS = "example. 60 IN DS 1 13 2 " + "AB" * 32
TEXTS = {
    "name": ["example.ch", r"a\.b.\255x.ch.", "münchen.example", ".", "x" * 63 + ".ch"],
    "zone_file": [
        (
            "$ORIGIN example.\n$TTL 1h\n@ SOA ns host 1 2 3 4 5\n"
            "child NS ns1.child\n NS ns2.net.\nns1.child A 192.0.2.1\n AAAA 2001:db8::1\n"
            f'{DS.replace("example.", "child")}\nt TXT "a;b" ( "c"\n "d" ) ; end\n'
        ),
        "child.example. IN 60 NS ns.example.net.\n",
    ],
    "csv_file": [
        (
            "name,ns,glue,ds,registrar,status\n"
            "child.example,ns1.child.example ns2.net,ns1.child.example=192.0.2.1,"
            f'1/13/2/{"ab" * 32},"A, Ltd",ok\n'
        ),
    ],
    "tsig_key": [
        (
            'key "update." {\n  algorithm hmac-sha256; # why\n'
            f'  secret "{base64.b64encode(bytes(32)).decode()}";\n}};\n'
        )
    ],
    "anchors": [
        ". IN DS 20326 8 2 " + "AB" * 32,
        Path("bootstrap/data/root-anchors.xml").read_text(),
    ],
    "hints": [
        ". 60 IN NS a.root.\na.root. 60 IN A 192.0.2.1\na.root. AAAA 2001:db8::1"
    ],
    "note": [
        (
            f"log.example/1\n7\n{base64.b64encode(bytes(32)).decode()}\n\n"
            f"\N{EM DASH} log {base64.b64encode(bytes(68)).decode()}\n"
        ),
        f"log.example/1\n7\n{base64.b64encode(bytes(32)).decode()}\nmore\n",
        (
            f"c2sp.org/tlog-proof@v1\nindex 3\n{base64.b64encode(bytes(32)).decode()}\n\n"
            f"log.example/1\n7\n{base64.b64encode(bytes(32)).decode()}\n\n"
        ),
    ],
}


def main() -> None:
    """Write evidence, and a corpus beside what is there."""
    honest = _accepted()
    octets = bundle.encode(honest)
    ACCEPTED.write_bytes(octets)
    _write("evidence", [bundle.encode(_smaller(honest))[: -bundle.SEAL]])
    _write("item", [bundle.parts(bundle.encode(_smaller(honest))).manifest])
    packets = sorted(bundle.split(honest).packets.values(), key=len)
    _write("message", packets[:: len(packets) // 20 or 1])
    _write("evaluation", [bytes(6), bytes.fromhex("0700200500030a0010000041")])
    for target, texts in TEXTS.items():
        _write(target, [text.encode() for text in texts])


def _write(target: str, inputs: list[bytes]) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(inputs):
        (folder / f"seed-{number:02}").write_bytes(octets)


def _accepted() -> Bundle:
    network = Network(Keyring(b"fuzz"), NOW)
    rehearsal = Rehearsal(assemble(demo_world(), network, clock=lambda: NOW))
    for placer in rehearsal.built.children.values():
        case = rehearsal.evaluate(delegation_of(rehearsal, placer))
        verdict = judge(case)
        if verdict.outcome is Outcome.ACCEPT and verdict.candidate:
            return Bundle(case, verdict, (("laboratory", "0"),))
    raise AssertionError("nobody in this world is accepted")


def _smaller(honest: Bundle) -> Bundle:
    """Return a bundle of few packets: enough of the format for a seed."""
    case = replace(honest.case, observations=honest.case.observations[:3])
    return Bundle(case, judge(case))


if __name__ == "__main__":
    main()
