"""A zone file cut into logical lines and tokens (RFC 1035, section 5.1).

Knows comments, quotes, escapes and parentheses, and nothing of records. A
parenthesis that is never closed costs its own line only.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from .rows import Watch

MAX_LINES: Final = 1_000
"""Physical lines of one record; more is taken for a parenthesis left open."""
MAX_LINE: Final = 262_144
WATCH_EVERY: Final = 1 << 20

_SPECIAL: Final = re.compile(r'[();"\\]')
_TOKEN: Final = re.compile(
    r'(?P<space>[ \t\r\f\v]+)|(?P<comment>;.*)|(?P<paren>[()])|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    r'|(?P<word>(?:[^\s;()"\\]|\\.)+)'
)


class CannotCut(Exception):
    """This line cannot be cut into tokens; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line: where it starts, and its tokens.

    `blank` says that it begins with white space: the owner is the last one.
    """

    number: int
    blank: bool
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that cannot be cut; `owner` is its first word, None if it is blank."""

    number: int
    owner: str | None
    reason: str


def read_lines(opened: BinaryIO, watch: Watch) -> Iterator[Line | BrokenLine]:
    """Yield the logical lines of a zone file that say something."""
    source = _Physical(opened, watch)
    while (text := source.take()) is not None:
        number = source.number
        try:
            tokens = _join(source, text)
        except CannotCut as exc:
            words = () if _is_blank(text) else text.split(maxsplit=1)
            yield BrokenLine(number, words[0] if words else None, str(exc))
            continue
        if tokens:
            yield Line(number, _is_blank(text), tuple(tokens))


def _is_blank(text: str) -> bool:
    return text[:1] in {" ", "\t"}


class _Physical:
    """Physical lines with the possibility of going back."""

    def __init__(self, opened: BinaryIO, watch: Watch) -> None:
        self.opened = opened
        self.watch = watch
        self.number = 0
        self.octets = 0
        self.told = 0
        self.again: deque[str] = deque()

    def take(self) -> str | None:
        if self.again:
            self.number += 1
            return self.again.popleft()
        raw = self.opened.readline(MAX_LINE)
        if not raw:
            self.watch(self.octets)
            return None
        self.number += 1
        self.octets += len(raw)
        if self.octets - self.told >= WATCH_EVERY:
            self.told = self.octets
            self.watch(self.octets)
        return raw.decode("utf-8", "surrogateescape").rstrip("\r\n")

    def give_back(self, lines: list[str]) -> None:
        self.again.extendleft(reversed(lines))
        self.number -= len(lines)


def _join(source: _Physical, text: str) -> list[str]:
    if not _SPECIAL.search(text):
        return text.split()
    tokens: list[str] = []
    depth = _cut(text, tokens, 0)
    further: list[str] = []
    while depth:
        following = source.take()
        if following is None or len(further) == MAX_LINES:
            source.give_back(further if following is None else [*further, following])
            raise CannotCut("a parenthesis that is never closed")
        further.append(following)
        depth = _cut(following, tokens, depth)
    return tokens


def _cut(text: str, tokens: list[str], depth: int) -> int:
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise CannotCut("a quote or an escape without its other half")
        position = found.end()
        if found["paren"] is not None:
            depth += 1 if found["paren"] == "(" else -1
            if depth < 0:
                raise CannotCut("a parenthesis that was never opened")
        elif found["quoted"] is not None:
            tokens.append(found["quoted"])
        elif found["word"] is not None:
            tokens.append(found["word"])
    return depth
