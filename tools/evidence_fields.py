"""Write the table of records into docs/evidence-format.md, from the code itself.

`python tools/evidence_fields.py` writes it, `--check` only says whether it is
what the code has.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dns.name import Name  # noqa: E402

from bootstrap.core.evidence.bundle import Bundle  # noqa: E402

PAGE = ROOT / "docs" / "evidence-format.md"
BEGIN, END = "<!-- fields:begin -->\n", "<!-- fields:end -->\n"
PLAIN = {
    bool: "true or false",
    int: "integer",
    str: "text",
    bytes: "octets",
    Name: "name",
    datetime: "moment",
    timedelta: "span",
}


def word(kind: Any) -> str:  # noqa: ANN401 - a type of any kind
    """Return how the page names a type."""
    if kind in PLAIN:
        return PLAIN[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        inner = next(arg for arg in args if arg is not types.NoneType)
        return f"{word(inner)} or null"
    if origin is tuple and args[1:] == (Ellipsis,):
        return f"array of ({word(args[0])})"
    if origin is tuple:
        return "[" + ", ".join(map(word, args)) + "]"
    if origin is frozenset:
        return f"set of ({word(args[0])})"
    return _class_word(kind)


def _class_word(kind: type) -> str:
    if issubclass(kind, Enum):
        return "integer" if issubclass(kind, int) else f"word `{kind.__name__}`"
    if is_dataclass(kind):
        return f"`{kind.__name__}`"
    hints = get_type_hints(kind)
    return (
        "[" + ", ".join(f"{name}: {word(hints[name])}" for name in kind._fields) + "]"
    )


def records(kind: Any, seen: dict[type, None]) -> None:  # noqa: ANN401 - a type of any kind
    """Collect all records and lists of words that `kind` can hold, in order."""
    for arg in get_args(kind):
        records(arg, seen)
    if not isinstance(kind, type) or kind in seen or kind in PLAIN or get_origin(kind):
        return
    if is_dataclass(kind) or (issubclass(kind, Enum) and not issubclass(kind, int)):
        seen[kind] = None
    if not issubclass(kind, Enum):
        for hint in get_type_hints(kind).values():
            records(hint, seen)


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    seen: dict[type, None] = {}
    records(Bundle, seen)
    yield "| record | field | type |"
    yield "|---|---|---|"
    for kind in seen:
        if is_dataclass(kind):
            hints = get_type_hints(kind)
            for number, field in enumerate(fields(kind)):
                name = f"`{kind.__name__}`" if not number else ""
                yield f"| {name} | `{field.name}` | {word(hints[field.name])} |"
    yield ""
    yield "| list | words |"
    yield "|---|---|"
    for kind in seen:
        if issubclass(kind, Enum):
            if kind.__name__ == "Reason":
                told = "the reason codes of docs/protocol.md, section 2"
            else:
                told = ", ".join(f"`{member.value}`" for member in kind)
            yield f"| `{kind.__name__}` | {told} |"


def main() -> int:
    """Write or check the page; return the exit status."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    wanted = before + BEGIN + "\n".join(table()) + "\n" + END + after
    if "--check" in sys.argv:
        if text != wanted:
            print("docs/evidence-format.md is stale: python tools/evidence_fields.py")
        return int(text != wanted)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
