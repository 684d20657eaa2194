"""Mutants that no case of the kit catches, and why: what survivors.toml says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

FILE: Final = Path(__file__).with_name("survivors.toml")


def _read() -> Mapping[str, str]:
    groups = tomllib.loads(FILE.read_text())["because"]
    return MappingProxyType(
        {rule: group["reason"] for group in groups for rule in group["rules"]}
    )


REDUNDANT: Final[Mapping[str, str]] = _read()
"""By the id of a rule: why no case is needed."""
