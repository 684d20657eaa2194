"""Mutants that no case of the kit catches, and why: what survivors.toml says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

FILE: Final = Path(__file__).with_name("survivors.toml")


EQUIVALENT: Final = "equivalent"
"""No outcome, code or step of any child can differ; the reason is the argument."""
NOT_SHOWN: Final = "not shown"
"""Some child could show it; the reason says what the kit lacks."""


def _read() -> Mapping[str, str]:
    found = {}
    for group in tomllib.loads(FILE.read_text())["because"]:
        if group["kind"] not in {EQUIVALENT, NOT_SHOWN}:
            raise ValueError(f"{FILE.name}: no kind {group['kind']!r}")
        for rule in group["rules"]:
            found[rule] = f"{group['kind']}: {group['reason']}"
    return MappingProxyType(found)


REDUNDANT: Final[Mapping[str, str]] = _read()
"""By the id of a rule: of which kind it is, and why no case is needed."""
