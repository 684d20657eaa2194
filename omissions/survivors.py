"""Mutants that no case of the kit catches, and why: what survivors.toml says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

FILE: Final = Path(__file__).with_name("survivors.toml")
EQUIVALENT: Final = "equivalent"
"""No outcome, code or step of any child can differ; the reason is the argument.
There is no other excuse: what some child could show is a case of the kit."""


def _read() -> Mapping[str, str]:
    found = {}
    for group in tomllib.loads(FILE.read_text())["because"]:
        if group["kind"] != EQUIVALENT:
            raise ValueError(f"{FILE.name}: no kind {group['kind']!r}")
        for rule in group["rules"]:
            found[rule] = f"{group['kind']}: {group['reason']}"
    return MappingProxyType(found)


REDUNDANT: Final[Mapping[str, str]] = _read()
"""By the id of a rule: why no case is needed, after the word that says so."""
