"""Keep the translations: collect what is to be said, compile what was translated.

catalogue.py           add what is new to each catalogue, drop what is gone, compile
catalogue.py --check   say what is missing or out of date; exit 1 if anything is
catalogue.py LANGUAGE  begin a new catalogue

The words come from the templates, from Python (`_`, `gettext`, `gettext_noop`) and
from the texts of the reasons. Compiling needs nothing but Python.
"""

from __future__ import annotations

import ast
import json
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bootstrap.core.evaluation.texts import TEXTS  # noqa: E402 - needs the path above

LOCALE = ROOT / "locale"
Id = tuple[str, ...]
"""A message: its text, and its plural where it has one."""
Catalogue = dict[Id, tuple[str, ...]]

MARKERS = frozenset({"_", "gettext", "gettext_noop", "gettext_lazy"})
SIMPLE = re.compile(r"""\{%\s*translate\s+("[^"]*"|'[^']*')""")
BLOCK = re.compile(
    r"\{%\s*blocktranslate\b[^%]*%\}(.*?)(?:\{%\s*plural\s*%\}(.*?))?"
    r"\{%\s*endblocktranslate\s*%\}",
    re.DOTALL,
)
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
SAID_ELSEWHERE = (
    *("done", "now", "next", "stopped"),  # marks of the five steps
    *("accept", "nothing to do", "hold", "reject", "retry", "we could not look"),
    *("suspended", "broken", "published", "pending", "blocked", "waiting"),  # badge
    *("unsigned", "unknown"),
)
"""Words that pages take from mappings."""

HEADER = (
    "Content-Type: text/plain; charset=UTF-8\n"
    "Content-Transfer-Encoding: 8bit\n"
    "Plural-Forms: nplurals=2; plural=(n != 1);\n"
)


def wanted() -> list[Id]:
    """Return every message, each once, in the order of their places."""
    elsewhere = ((word,) for word in SAID_ELSEWHERE)
    found = [*_in_templates(), *_in_python(), *elsewhere, *_in_reasons()]
    return list(dict.fromkeys(found))


def _in_templates() -> Iterator[Id]:
    for path in sorted((ROOT / "templates").rglob("*.*")):
        text = path.read_text()
        for quoted in SIMPLE.findall(text):
            yield (quoted[1:-1],)
        for one, many in BLOCK.findall(text):
            both = (one, many) if many else (one,)
            yield tuple(VARIABLE.sub(r"%(\1)s", part) for part in both)


def _in_python() -> Iterator[Id]:
    for path in sorted((ROOT / "portal").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                said = node.args[0] if node.args else None
                marked = node.func.id in MARKERS and isinstance(said, ast.Constant)
                if marked and isinstance(said.value, str):
                    yield (said.value,)


def _in_reasons() -> Iterator[Id]:
    """Leave out what only staff reads: its pages speak English."""
    for text in TEXTS.values():
        yield from ((part,) for part in (text.title, text.owners))


def read(path: Path) -> Catalogue:
    """Return a catalogue as this tool writes it: one line a string."""
    found: Catalogue = {}
    parts: dict[str, str] = {}
    for line in [*path.read_text().splitlines(), ""]:
        if line.startswith("msg"):
            key, _, quoted = line.partition(" ")
            parts[key] = json.loads(quoted)
        elif not line and parts.get("msgid"):
            ident = (parts["msgid"], *([p] if (p := parts.get("msgid_plural")) else []))
            said = [parts[key] for key in sorted(parts) if key.startswith("msgstr")]
            found[ident] = tuple(said)
        if not line:
            parts = {}
    return found


def write(path: Path, catalogue: Catalogue) -> None:
    """Write a catalogue for people to fill in."""
    blocks = ["\n".join(['msgid ""', f"msgstr {_quoted(HEADER)}"])]
    for ident, said in catalogue.items():
        lines = [f"msgid {_quoted(ident[0])}"]
        if len(ident) > 1:
            lines.append(f"msgid_plural {_quoted(ident[1])}")
            lines += [f"msgstr[{n}] {_quoted(s)}" for n, s in enumerate(said)]
        else:
            lines.append(f"msgstr {_quoted(said[0])}")
        blocks.append("\n".join(lines))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(blocks) + "\n")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def compiled(catalogue: Catalogue) -> bytes:
    """Return the catalogue in the binary form of GNU gettext."""
    said = {"": HEADER}
    said |= {"\0".join(i): "\0".join(s) for i, s in catalogue.items() if all(s)}
    pairs = sorted((k.encode(), v.encode()) for k, v in said.items())
    start = 28 + 16 * len(pairs)
    keys = b"".join(key + b"\0" for key, _ in pairs)
    values = b"".join(value + b"\0" for _, value in pairs)
    tables = b""
    place = start
    for column in (0, 1):
        for pair in pairs:
            tables += struct.pack("<II", len(pair[column]), place)
            place += len(pair[column]) + 1
    head = (0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, start)
    return struct.pack("<7I", *head) + tables + keys + values


def missing(catalogue: Catalogue) -> list[Id]:
    """Return what is not translated yet."""
    return [ident for ident in wanted() if not all(catalogue.get(ident, ("",)))]


def check(path: Path) -> list[str]:
    """Return what is wrong with a catalogue."""
    known = read(path)
    wrong = [f"not translated: {ident[0]!r}" for ident in missing(known)]
    wrong += [f"no longer said: {i[0]!r}" for i in known.keys() - set(wanted())]
    binary = path.with_suffix(".mo")
    if not binary.exists() or binary.read_bytes() != compiled(known):
        wrong.append(f"{binary.name} is out of date")
    return wrong


def update(path: Path) -> None:
    """Bring a catalogue up to date and compile it."""
    known = read(path) if path.exists() else {}
    new = {i: known.get(i, ("",) * len(i)) for i in wanted()}
    write(path, new)
    path.with_suffix(".mo").write_bytes(compiled(new))


def main(arguments: list[str]) -> int:
    """Run as a command."""
    paths = sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))
    if "--check" in arguments:
        wrong = [f"{p.parts[-3]}: {what}" for p in paths for what in check(p)]
        print("\n".join(wrong) or "All is translated.")
        return 1 if wrong else 0
    paths += [LOCALE / name / "LC_MESSAGES" / "django.po" for name in arguments]
    for path in paths:
        update(path)
        print(path.parts[-3], len(missing(read(path))), "not translated")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
