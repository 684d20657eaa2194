"""What variables of the environment may say: files, numbers, networks, places.

Each is read from one dictionary; nonsense is refused with the variable's name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NO_LIMIT: Final = "unlimited"
FAMILIES: Final = frozenset({4, 6})
TARGETS: Final = frozenset({"file", "http", "git", "mailto"})


class Unusable(Exception):
    """A setting holds nonsense; the message begins with the variable's name."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"{variable}: {problem}")
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Target:
    """Where checkpoints go: `kind` is file, http, git or mailto."""

    kind: str
    where: str


class Reader:
    """Reads one dictionary; every complaint names the variable."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def file(self, variable: str) -> Path:
        """Return the path of a file that is there."""
        path = Path(str(self.values[variable]))
        if not path.is_file():
            raise Unusable(variable, f"there is no file {path}")
        return path

    def number(self, variable: str, least: int, most: int) -> int:
        """Return a whole number within these two, both included."""
        try:
            number = int(self.values[variable])
        except (TypeError, ValueError) as exc:
            raise Unusable(variable, "is not a whole number") from exc
        if not least <= number <= most:
            raise Unusable(variable, f"{number} is not within {least} and {most}")
        return number

    def rate(self, variable: str) -> float:
        """Return how many a second; 0 for no limit."""
        text = str(self.values[variable]).strip()
        if text == NO_LIMIT:
            return 0.0
        try:
            rate = float(text)
        except ValueError as exc:
            raise Unusable(variable, f'is neither a number nor "{NO_LIMIT}"') from exc
        if not 0 < rate < float("inf"):
            raise Unusable(variable, f'{text} is not above 0 (or "{NO_LIMIT}")')
        return rate

    def networks(self, variable: str) -> tuple[Network, ...]:
        """Return networks, in the order given."""
        try:
            return tuple(ipaddress.ip_network(text) for text in self._words(variable))
        except ValueError as exc:
            raise Unusable(variable, str(exc)) from exc

    def addresses(self, variable: str) -> tuple[str, ...]:
        """Return addresses in their usual spelling."""
        try:
            return tuple(
                str(ipaddress.ip_address(text)) for text in self._words(variable)
            )
        except ValueError as exc:
            raise Unusable(variable, str(exc)) from exc

    def families(self, variable: str) -> tuple[int, ...]:
        """Return address families, 4 or 6, but never both."""
        words = self._words(variable)
        if not {"4", "6"} >= set(words):
            raise Unusable(variable, "holds something else than 4 and 6")
        if len(set(words)) == len(FAMILIES):
            raise Unusable(variable, "leaves no address family to ask over")
        return tuple(sorted({int(word) for word in words}))

    def targets(self, variable: str) -> tuple[Target, ...]:
        """Return places that checkpoints go to."""
        found = []
        for word in self._words(variable):
            kind, _, rest = word.partition(":")
            if word.startswith("/"):
                kind, rest = "file", word
            elif kind in {"http", "https"}:
                kind, rest = "http", word
            if kind not in TARGETS or not rest:
                raise Unusable(
                    variable,
                    f"{word} is none of /folder, https://…, git:REMOTE, mailto:ADDRESS",
                )
            found.append(Target(kind, rest))
        return tuple(found)

    def _words(self, variable: str) -> list[str]:
        value = self.values[variable]
        texts: Iterable[str] = [value] if isinstance(value, str) else value
        return [word for text in texts for word in str(text).replace(",", " ").split()]
