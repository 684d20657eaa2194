"""One result of `manage.py scan` in words, from the record that `--json` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.texts import TEXTS

MARKS: Final = {"pass": "+", "fail": "-", "note": "·", "skipped": " "}


def explanation(line: dict[str, Any]) -> Iterator[str]:
    """Return what a person wants to read: why, then each check, server and signal."""
    text = TEXTS[Reason(line["primary_reason"])]
    yield f"{text.title}. {text.staff} ({text.clause})"
    yield f"Who must act: {text.act.value}."
    for ds in line["ds"]:
        yield f"DS that would be published: {ds}"
    yield "Checks"
    for check in line["checks"]:
        yield from _indented(_check(check))
    yield "What each server said"
    for view in line["nameservers"]:
        yield from _indented(_server(view, line["nameservers"][0]))
    yield "Signals"
    for view in line["signals"]:
        yield from _indented(_signal(view))
    yield f"Evidence {line['evidence']}, {line['duration_ms']} ms"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {text}".rstrip() for text in lines)


def _check(check: dict[str, Any]) -> Iterator[str]:
    name = check["id"].removeprefix("check_").replace("_", " ")
    if check["result"] == "skipped":
        yield f"  {name}: not reached, or does not apply"
        return
    yield f"{MARKS[check['result']]} {name} {check['detail']}".rstrip()
    for code in check["reasons"]:
        yield f"    {TEXTS[Reason(code)].title} [{code}]"


def _server(view: dict[str, Any], first: dict[str, Any]) -> Iterator[str]:
    yield f"{view['nameserver']} {view['server']}"
    if view is not first and view["answers"] == first["answers"]:
        yield "  the same as the first"
        return
    for answer in view["answers"]:
        records = "; ".join(answer["records"])
        yield f"  {answer['type']} {answer['reason']} {records}".rstrip()


def _signal(view: dict[str, Any]) -> Iterator[str]:
    yield view["name"] or f"none can be formed under {view['nameserver']}"
    for proof in (view["cds"], view["cdnskey"]):
        if proof:
            yield f"  {proof['type']} {_proof(proof)}"


def _proof(proof: dict[str, Any]) -> str:
    if proof["security"] != "secure":
        return f"{proof['security']}: {proof['flaw'] or ''} {proof['detail']}".rstrip()
    until = f"signed by {proof['signer']}, valid until {proof['not_after']}"
    if proof["absence"]:
        return f"is not there, and that is proven ({proof['absence']}), {until}"
    return f"secure, {until}: {'; '.join(proof['records'])}"
