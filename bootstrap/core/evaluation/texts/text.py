"""What a reason says to people, as a value; English is the source language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

MAX_TITLE: Final = 60


@unique
class Act(StrEnum):
    """Who must act before it goes on."""

    OWNER = "owner"
    OPERATOR = "operator"  # whoever runs the child's DNS
    REGISTRY = "registry"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Text:
    """The words for one reason (ux.md, "Texts").

    `title` has at most 60 characters, `staff` is one sentence, `owners` two in
    plain words. `clause` says where the standard asks for it, `recipe` what to
    publish when the fix is a record: {child}, {nameserver} and {ds} stand for
    the case's own values.
    """

    title: str
    staff: str
    owners: str
    act: Act
    clause: str
    recipe: str = ""
