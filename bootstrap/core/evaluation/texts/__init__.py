"""The words for every reason: total over the catalogue, and nothing decided by them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bootstrap.core.evaluation.reasons import Reason

from .apex import APEX
from .content import CONTENT
from .parent import PARENT
from .rest import REST
from .servers import SERVERS
from .signals import SIGNALS
from .text import MAX_TITLE, Act, Text
from .updates import UPDATES

__all__ = ["MAX_TITLE", "TEXTS", "Act", "Text"]

TEXTS: Final[Mapping[Reason, Text]] = MappingProxyType(
    {**SERVERS, **PARENT, **APEX, **SIGNALS, **CONTENT, **UPDATES, **REST}
)
"""Total over `Reason`."""
