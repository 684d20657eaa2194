"""DNSSEC bootstrapping for a registry: everything that exists without a browser."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
