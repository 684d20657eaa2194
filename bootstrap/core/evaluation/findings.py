"""A reason and what it is about."""

from __future__ import annotations

from dataclasses import dataclass

from .reasons import MEANINGS, Kind, Reason


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`reason` holds of `subject`: a name, an address, a key, "name type".

    `escalated` says that the condition lasted, or weighs more here, so that
    the reason counts as what `Meaning.then` says.
    """

    reason: Reason
    subject: str = ""
    detail: str = ""
    escalated: bool = False

    @property
    def kind(self) -> Kind:
        """The class that this finding counts as."""
        meaning = MEANINGS[self.reason]
        if self.escalated and meaning.then is not None:
            return meaning.then
        return meaning.kind
