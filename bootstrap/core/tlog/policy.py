"""Which logs, witnesses and quorum to trust: C2SP tlog-policy, as text.

One line a statement: `log VKEY [URL]`, `witness NAME VKEY [URL]`,
`group NAME all|any|N MEMBER…`, `quorum NAME|none`. A name is declared before it
is used; `#` begins a comment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from . import notes

NO_QUORUM: Final = "none"


class PolicyWrong(Exception):
    """The text is no policy; the message names the line."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who sees every checkpoint and signs that the log only grew."""

    name: str
    key: notes.VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these members, witnesses or groups, must have signed."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a checkpoint must bear to be believed."""

    logs: tuple[notes.VerifierKey, ...] = ()
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NO_QUORUM

    def met(self, signed: Collection[str]) -> bool:
        """Say whether these witnesses, by name, are enough."""
        return self.quorum == NO_QUORUM or self._holds(self.quorum, signed)

    def _holds(self, name: str, signed: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in signed
        return (
            sum(self._holds(member, signed) for member in group.members)
            >= group.threshold
        )


@dataclass(slots=True)
class _Reading:
    logs: list[notes.VerifierKey] = field(default_factory=list)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = ""

    def log(self, words: list[str]) -> None:
        key, *_url = words
        self.logs.append(notes.VerifierKey.from_text(key))

    def witness(self, words: list[str]) -> None:
        name, key, *url = words
        self._fresh(name)
        self.witnesses[name] = Witness(
            name, notes.VerifierKey.from_text(key), "".join(url)
        )

    def group(self, words: list[str]) -> None:
        name, threshold, *members = words
        self._fresh(name)
        for member in members:
            self._known(member)
        counts = {"any": 1, "all": len(members)}
        count = counts[threshold] if threshold in counts else int(threshold)
        if not 1 <= count <= len(members) or len(set(members)) < len(members):
            raise ValueError("asks for more members than it has, or names one twice")
        self.groups[name] = Group(count, tuple(members))

    def set_quorum(self, words: list[str]) -> None:
        (name,) = words
        if self.quorum:
            raise ValueError("there is a quorum already")
        if name != NO_QUORUM:
            self._known(name)
        self.quorum = name

    def _fresh(self, name: str) -> None:
        if name == NO_QUORUM or name in self.witnesses or name in self.groups:
            raise ValueError(f"{name} is taken")

    def _known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise ValueError(f"{name} is not declared above")


def read(text: str) -> Policy:
    """Return the policy that `text` spells.

    Raises:
        PolicyWrong: it has not that form.
    """
    reading = _Reading()
    verbs = {
        "log": reading.log,
        "witness": reading.witness,
        "group": reading.group,
        "quorum": reading.set_quorum,
    }
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        try:
            verbs[words[0]](words[1:])
        except KeyError:
            raise PolicyWrong(f"line {number}: unknown word {words[0]!r}") from None
        except (ValueError, notes.NoteWrong) as exc:
            raise PolicyWrong(f"line {number}: {exc}") from exc
    if not reading.quorum:
        raise PolicyWrong("the policy names no quorum")
    return Policy(
        tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum
    )
