"""What must be asked next, given what has been seen; empty when nothing is left.

The shell runs a plan, adds the observations and asks for the next one: first
the addresses of all nameservers (P-2.3), then the child's servers over TCP and
the signals (P-2.4 to P-2.11), then whatever the answers call for (P-3.7).
"""

from __future__ import annotations

from .case import Case
from .queries import Plan


def plan(case: Case) -> Plan:
    """Return the questions that `case` still lacks; an empty plan when complete."""
    raise NotImplementedError
