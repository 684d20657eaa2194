"""Write docs/requirements.md: each requirement, where it is met, where tested.

Requirements stand in docs/protocol.md (P-…) and docs/security.md (S-…, F-…);
code and tests cite their ids. What no code meets is excused, with its reason, in
docs/requirements-left.toml. `--check` writes nothing; it fails when the table is
out of date, an id that is cited does not exist, or an id is neither cited nor
excused, or both.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "requirements.md"
LEFT = ROOT / "docs" / "requirements-left.toml"
CODE = ("bootstrap", "portal", "templates", "tools", "deploy")
CASES = "bootstrap/lab/catalogue/"
"""Cases of the conformance kit show what is required, they do not meet it."""
ID = re.compile(r"(?<![A-Za-z0-9-])(P-(?:\d+|[A-Z])\.\d+|[SF]-\d+)(?![\d.]*\d)")
SPAN = re.compile(
    r"([PSF]-(?:(?:\d+|[A-Z])\.)?)(\d+)\s*(?:…|\.\.\.|to)\s*(?:[PSF]-(?:(?:\d+|[A-Z])\.)?)?(\d+)"
)
DEFINED = re.compile(
    r"^(?:- |\| )(?P<id>P-(?:\d+|[A-Z])\.\d+|[SF]-\d+)(?: \||\s)(?P<text>.*)$"
)
NAMED = re.compile(r"def test_((?:(?:p_(?:\d+|[a-z])_\d+|[sf]_\d+)_(?:to_)?)+)")
IN_NAME = re.compile(r"p_(\d+|[a-z])_(\d+)|([sf])_(\d+)")
LINE = 110

KINDS = {
    "fact": "States a fact: nothing to do",
    "practice": "For the people who run a parent",
    "tests": "Asks for a test, or a case of the conformance kit",
    "not offered": "Belongs to a feature that is not offered",
    "open": "Not built",
    "partly": "Met in part",
}
"""The parts of requirements-left.toml; only ids of the last one are cited too."""

Places = Mapping[str, set[str]]


@dataclass(frozen=True)
class Known:
    """Everything that the table is made of: texts, places, and reasons by kind."""

    texts: dict[str, str]
    code: Places
    tests: Places
    left: dict[str, dict[str, str]]

    @property
    def excused(self) -> dict[str, str]:
        """The kind of each id that code need not meet."""
        kinds = (kind for kind in KINDS if kind != "partly")
        return {one: kind for kind in kinds for one in self.left.get(kind, {})}


def known() -> Known:
    """Read documents, code, tests and reasons."""
    code: dict[str, set[str]] = defaultdict(set)
    tests: dict[str, set[str]] = defaultdict(set)
    for folder in (*CODE, "tests"):
        for identifier, places in cited(folder).items():
            shown = {p for p in places if folder == "tests" or p.startswith(CASES)}
            tests[identifier] |= shown
            code[identifier] |= places - shown
    return Known(defined(), code, tests, tomllib.loads(LEFT.read_text()))


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
    """Return the files below `folder` that cite each id; this one cites none."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / folder).rglob("*")):
        if (
            path.suffix not in {".py", ".html", ".toml", ".service", ".conf"}
            or "migrations" in path.parts
        ):
            continue
        if path == Path(__file__).resolve():
            continue
        text = path.read_text(errors="replace")
        for identifier in ids(text):
            places[identifier].add(str(path.relative_to(ROOT)))
    return places


def ids(text: str) -> set[str]:
    """Return the ids that a text cites; "P-2.4 to P-2.8" cites five.

    The name of a test cites as well: `test_p_7_12_p_7_13_s_30_what_it_shows`.
    """
    text += "\n" + "\n".join(map(_spelled, NAMED.findall(text)))
    found = set(ID.findall(text))
    for prefix, first, last in SPAN.findall(text):
        found |= {f"{prefix}{number}" for number in range(int(first), int(last) + 1)}
    return found


def _spelled(name: str) -> str:
    """Return the ids at the head of a test's name as they are written elsewhere."""
    return IN_NAME.sub(
        lambda match: (
            f"P-{match[1].upper()}.{match[2]}"
            if match[1]
            else f"{match[3].upper()}-{match[4]}"
        ),
        name,
    ).replace("_", " ")


def table(all_of_it: Known) -> str:
    """Return the text of docs/requirements.md."""
    lines = [
        "# Requirements, and where they are met",
        "",
        "Made by `python -m tools.requirements`; do not edit.",
        "The texts are in [protocol.md](protocol.md) and [security.md](security.md),",
        "reasons come from [requirements-left.toml](requirements-left.toml).",
        "",
        *_figures(all_of_it),
        "",
        "| id | begins | code | tests |",
        "|---|---|---|---|",
    ]
    excused = all_of_it.excused
    for identifier, text in all_of_it.texts.items():
        here = "<br>".join(sorted(all_of_it.code.get(identifier, ())))
        there = "<br>".join(sorted(all_of_it.tests.get(identifier, ())))
        if identifier in excused:
            here = f"*{excused[identifier]}*"
        if identifier in all_of_it.left.get("partly", {}):
            here += "<br>*partly*"
        lines.append(f"| {identifier} | {text} | {here} | {there} |")
    for kind, title in KINDS.items():
        rows = [f"| {i} | {why} |" for i, why in all_of_it.left.get(kind, {}).items()]
        lines += ["", f"## {title}", "", "| id | reason |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _figures(all_of_it: Known) -> Iterator[str]:
    met = [one for one in all_of_it.texts if all_of_it.code.get(one)]
    shown = [one for one in met if all_of_it.tests.get(one)]
    partly = len(all_of_it.left.get("partly", {}))
    yield (
        f"{len(all_of_it.texts)} requirements: {len(met)} are met by code ({partly} of"
        f" them in part), {len(shown)} of these are named by a test;"
    )
    left = [f"{len(all_of_it.left.get(kind, {}))} {kind}" for kind in KINDS]
    yield f"the others: {', '.join(left[:-1])}."


def complaints(all_of_it: Known) -> Iterator[str]:
    """Yield what is wrong with citations and reasons."""
    places = [*all_of_it.code.items(), *all_of_it.tests.items()]
    for identifier, where in places:
        if where and identifier not in all_of_it.texts:
            yield f"{identifier} is cited but not defined: {', '.join(sorted(where))}"
    reasons = [one for kind in all_of_it.left.values() for one in kind]
    for identifier in sorted(set(reasons)):
        if identifier not in all_of_it.texts or reasons.count(identifier) > 1:
            yield f"{identifier} is excused twice, or not defined"
    if strays := all_of_it.left.keys() - KINDS.keys():
        yield f"requirements-left.toml has unknown parts: {', '.join(sorted(strays))}"
    for identifier in all_of_it.texts:
        yield from _of(identifier, all_of_it)


def _of(identifier: str, all_of_it: Known) -> Iterator[str]:
    code = all_of_it.code.get(identifier)
    kind = all_of_it.excused.get(identifier)
    if not code and kind is None:
        yield f"{identifier} is neither cited by code nor excused"
    if code and kind is not None:
        yield f"{identifier} is excused ({kind}) but cited: {', '.join(sorted(code))}"
    if kind == "tests" and not all_of_it.tests.get(identifier):
        yield f"{identifier} is left to tests, and none cites it"


def main() -> int:
    """Write the table, or check it."""
    all_of_it = known()
    wrong = list(complaints(all_of_it))
    text = table(all_of_it)
    if "--check" not in sys.argv:
        TABLE.write_text(text)
    elif not TABLE.exists() or TABLE.read_text() != text:
        wrong.append(
            "docs/requirements.md is out of date: python -m tools.requirements"
        )
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
