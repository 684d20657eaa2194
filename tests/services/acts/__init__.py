"""For every type of entry a real act that writes it, through the real service.

Each function makes the circumstances and returns the act; the act may be done
again after it was undone, so it reads its rows afresh.
"""

from __future__ import annotations

from . import changes, machinery, rule_making
from .acting import ACTS, Scene

__all__ = ["ACTS", "Scene", "changes", "machinery", "rule_making"]
