"""Bootstrap, update, removal, or nothing to do."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Path(StrEnum):
    """Which part of the standards an evaluation follows."""

    BOOTSTRAP = "bootstrap"  # RFC 9615
    UPDATE = "update"  # RFC 7344, 9975
    REMOVAL = "removal"  # RFC 8078, section 4


@unique
class AuthMethod(StrEnum):
    """How a DS change was authenticated (P-5.61); stored, never renamed."""

    RFC9615 = "RFC9615"
    RFC7344_CHAIN = "RFC7344_CHAIN"
    EPP = "EPP"
    MANUAL = "MANUAL"
    RFC8078_DELAY = "RFC8078_DELAY"
    RFC8078_INCEPTION = "RFC8078_INCEPTION"
