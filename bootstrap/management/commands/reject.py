"""`manage.py reject`: refuse a DS change, as a user."""

from __future__ import annotations

from bootstrap.management.decision import DecisionCommand
from bootstrap.services import proposals


class Command(DecisionCommand):
    """Reject one proposal."""

    help = "Reject a proposal. The role is that of the user."
    verb = staticmethod(proposals.reject)
