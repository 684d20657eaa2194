"""The bootstrap matrix (protocol.md 2.6), to be read beside it.

A cell says how an evaluation ends: nothing to do, on to the acceptance checks,
or by the codes of some groups of steps. What a cell leaves out stays in the
verdict as a note. A sentinel where there is no DS asks for nothing, at the apex
and in a signal (P-4.22, P-4.23).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from .apex import ApexState
from .reasons import Reason
from .signals import SignalState


@unique
class Group(StrEnum):
    """Which part of an evaluation a finding comes from."""

    SITE = "site"  # our own faults
    PARENT = "parent"  # registry data and published state
    SERVERS = "servers"  # nameservers and their single responses
    APEX = "apex"
    SIGNALS = "signals"
    CONTENT = "content"  # acceptance, update and removal


@dataclass(frozen=True, slots=True)
class Cell:
    """`nothing` is the primary reason where the child asks for nothing we can do.

    Else the codes of `groups` decide (P-2.50); with `accepts`, the acceptance
    checks come first.
    """

    groups: frozenset[Group]
    nothing: Reason | None = None
    accepts: bool = False


ALWAYS: Final = frozenset({Group.SITE, Group.PARENT})
"""Groups that count in every cell."""
_BOTH: Final = Cell(frozenset(Group))
_APEX: Final = Cell(frozenset(Group) - {Group.SIGNALS})
_SIGNALS: Final = Cell(ALWAYS | {Group.SIGNALS})
_NO_CDS: Final = Cell(ALWAYS, nothing=Reason.APEX_NO_CDS)
_NO_DS: Final = Cell(ALWAYS, nothing=Reason.DEL_NOTHING_TO_DELETE)
_NO_SIGNAL: Final = Cell(ALWAYS, nothing=Reason.SIG_NONE)
_ACCEPT: Final = Cell(frozenset(Group), accepts=True)

_ROWS: Final = (
    # S0         S1        S2        S3       S4       S5       S6        S7
    (_NO_CDS, _NO_CDS, _SIGNALS, _NO_CDS, _NO_CDS, _NO_CDS, _SIGNALS, _NO_CDS),  # A0
    (_NO_SIGNAL, _ACCEPT, _BOTH, _BOTH, _BOTH, _BOTH, _BOTH, _BOTH),  # A1
    (_NO_DS, _NO_DS, _NO_DS, _NO_DS, _NO_DS, _NO_DS, _NO_DS, _NO_DS),  # A2
    (_APEX, _APEX, _APEX, _APEX, _BOTH, _APEX, _BOTH, _APEX),  # A3
    (_APEX, _APEX, _BOTH, _BOTH, _BOTH, _BOTH, _BOTH, _BOTH),  # A4
)

MATRIX: Final = MappingProxyType(
    {
        (apex, signal): cell
        for apex, row in zip(ApexState, _ROWS, strict=True)
        for signal, cell in zip(SignalState, row, strict=True)
    }
)
"""Total over both states."""
