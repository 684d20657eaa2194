"""How an act is noted: which types of entry it writes, and what it finds around it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bootstrap.core.tlog.types import EntryType as T
from tests.services.builders import (
    NOW,
)

Act = Callable[[], Any]
LATER = NOW + timedelta(minutes=5)
PASSWORD = "correct horse battery"


@dataclass
class Scene:
    """What an act finds around it: a folder of its own, and the settings."""

    folder: Path
    settings: Any


ACTS: dict[T, Callable[[Scene], Act]] = {}


def writes(*types: T):
    """Say which types of entry an act writes."""

    def note(arrange: Callable[[Scene], Act]) -> Callable[[Scene], Act]:
        for each in types:
            assert each not in ACTS
            ACTS[each] = arrange
        return arrange

    return note


def refused(*refusals: type[Exception]):
    """Let a refusal be the expected end."""
    return contextlib.suppress(*refusals)
