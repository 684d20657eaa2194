"""Write docs/requirements.md: each requirement, where it is met, where tested.

Requirements stand in docs/protocol.md (P-…) and docs/security.md (S-…, F-…);
code and tests cite their ids. `--check` writes nothing and fails when the table
is out of date or an id that is cited does not exist.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "requirements.md"
ID = re.compile(r"(?<![A-Za-z0-9-])(P-(?:\d+|[A-Z])\.\d+|[SF]-\d+)(?![\d.]*\d)")
SPAN = re.compile(
    r"([PSF]-(?:(?:\d+|[A-Z])\.)?)(\d+)\s*(?:…|\.\.\.|to)\s*(?:[PSF]-(?:(?:\d+|[A-Z])\.)?)?(\d+)"
)
DEFINED = re.compile(
    r"^(?:- |\| )(?P<id>P-(?:\d+|[A-Z])\.\d+|[SF]-\d+)(?: \||\s)(?P<text>.*)$"
)
LINE = 110


def defined() -> dict[str, str]:
    """Return each requirement's id and its first words, in document order."""
    found: dict[str, str] = {}
    for name in ("protocol", "security"):
        for line in (ROOT / "docs" / f"{name}.md").read_text().splitlines():
            if match := DEFINED.match(line):
                text = re.sub(r"`\[[^]]*\]`", "", match["text"]).replace("|", "·")
                found.setdefault(match["id"], text.strip(" ·")[:LINE])
    return found


def cited(folder: str) -> dict[str, set[str]]:
    """Return the files below `folder` that cite each id."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix not in {".py", ".html", ".toml"} or "migrations" in path.parts:
            continue
        text = path.read_text(errors="replace")
        for identifier in ids(text):
            places[identifier].add(str(path.relative_to(ROOT)))
    return places


def ids(text: str) -> set[str]:
    """Return the ids that a text cites; "P-2.4 to P-2.8" cites five."""
    found = set(ID.findall(text))
    for prefix, first, last in SPAN.findall(text):
        found |= {f"{prefix}{number}" for number in range(int(first), int(last) + 1)}
    return found


def table() -> str:
    """Return the text of docs/requirements.md."""
    code: dict[str, set[str]] = defaultdict(set)
    for folder in ("bootstrap", "portal", "templates", "tools"):
        for identifier, places in cited(folder).items():
            code[identifier] |= places
    tests = cited("tests")
    lines = [
        "# Requirements, and where they are met",
        "",
        "Made by `python tools/requirements.py`; do not edit.",
        "The texts are in [protocol.md](protocol.md) and [security.md](security.md).",
        "",
        "| id | begins | code | tests |",
        "|---|---|---|---|",
    ]
    for identifier, text in defined().items():
        here = "<br>".join(sorted(code[identifier]))
        there = "<br>".join(sorted(tests.get(identifier, ())))
        lines.append(f"| {identifier} | {text} | {here} | {there} |")
    return "\n".join(lines) + "\n"


def unknown() -> dict[str, set[str]]:
    """Return ids that are cited but defined nowhere, with their places."""
    known = defined()
    strays: dict[str, set[str]] = defaultdict(set)
    for folder in ("bootstrap", "portal", "templates", "tests"):
        for identifier, places in cited(folder).items():
            if identifier not in known:
                strays[identifier] |= places
    return strays


def main() -> int:
    """Write the table, or check it."""
    strays = unknown()
    for identifier, places in strays.items():
        print(f"{identifier} is cited but not defined: {', '.join(sorted(places))}")
    if "--check" in sys.argv:
        current = TABLE.exists() and TABLE.read_text() == table()
        if not current:
            print("docs/requirements.md is out of date: python tools/requirements.py")
        return 1 if strays or not current else 0
    TABLE.write_text(table())
    return 1 if strays else 0


if __name__ == "__main__":
    sys.exit(main())
