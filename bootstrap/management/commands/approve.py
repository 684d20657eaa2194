"""`manage.py approve`: let a DS set be published, as a user."""

from __future__ import annotations

from bootstrap.management.decision import DecisionCommand
from bootstrap.services import proposals


class Command(DecisionCommand):
    """Approve one proposal."""

    help = (
        "Approve a proposal. Role and four eyes are those of the user; NS set, DS set"
        " and evidence are checked again."
    )
    verb = staticmethod(proposals.approve)
