"""Proposals: read-only columns, and the dashboard's decision panel (2.6)."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from bootstrap.models import Decision, Proposal, Publication, Sighting
from bootstrap.services import batches
from portal.access import DECIDE, fresh_second_factor, holds_somewhere
from portal.dashboard import decisions, presenters, proposals, queue, rollbacks

from .base import ReadOnlyAdmin, ZonesSeen, known

VERBS: Final = ("approve", "reject", "hold", "release", "lapse")
DOORS: Final = ("dashboard", "admin", "command", "rule")
ENDINGS: Final = (
    "applied",
    "unchanged",
    "refused",
    "unreachable",
    "read-back",
    "conflict",
)


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin[Proposal]):
    """Changes of DS sets, with the same decision as in the dashboard."""

    list_display = ("domain", "path", "state", "reason", "created_at", "expires_at")
    list_filter = ("state", "path", ("domain__zone", ZonesSeen))
    list_select_related = ("domain", "domain__zone")
    search_fields = ("domain__name__startswith", "digest__startswith")
    change_form_template = "admin/proposal.html"
    actions = ("approve_chosen", "reject_chosen")

    @admin.action(description="Approve the chosen (preview first)")
    def approve_chosen(
        self, request: HttpRequest, rows: QuerySet[Proposal]
    ) -> HttpResponse:
        """Lead to the dashboard's preview; nothing is decided yet (2.6)."""
        return self._preview(request, rows, "approve")

    @admin.action(description="Reject the chosen (preview first)")
    def reject_chosen(
        self, request: HttpRequest, rows: QuerySet[Proposal]
    ) -> HttpResponse:
        """Lead to the dashboard's preview; nothing is decided yet (2.6)."""
        return self._preview(request, rows, "reject")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer batches to those alone who may decide."""
        decides = holds_somewhere(request.user, DECIDE)
        return super().get_actions(request) if decides else {}

    def _preview(
        self, request: HttpRequest, rows: QuerySet[Proposal], verb: str
    ) -> HttpResponse:
        if not holds_somewhere(request.user, DECIDE):
            raise PermissionDenied
        ids = rows.order_by("created_at").values_list("pk", flat=True)
        chosen = [str(pk) for pk in ids[: batches.MOST + 1]]
        return queue.preview(request, verb, chosen, via="admin")

    def get_urls(self) -> list[URLPattern]:
        """Add the address that takes the decision."""
        guarded = self.admin_site.admin_view(
            require_POST(fresh_second_factor(self.decide))
        )
        mine = [
            path(
                "<uuid:proposal_id>/decide/",
                guarded,
                name="bootstrap_proposal_decide",
            )
        ]
        way_back = self.admin_site.admin_view(
            require_POST(fresh_second_factor(self.rollback))
        )
        mine.append(
            path(
                "<uuid:proposal_id>/rollback/",
                way_back,
                name="bootstrap_proposal_rollback",
            )
        )
        return mine + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the columns, the facts and the decision panel."""
        row = self.get_object(request, object_id)
        if row is None or request.method != "GET":
            return super().change_view(request, object_id, form_url, extra_context)
        shown = self._shown(request, proposals.fetch(request, row.pk), None)
        return super().change_view(request, object_id, form_url, shown)

    def decide(self, request: HttpRequest, proposal_id: UUID) -> HttpResponse:
        """Handle the decision form; a refusal shows the panel again."""
        row = proposals.fetch(request, proposal_id)
        answer = decisions.decide(request, row, via="admin")
        if answer.done:
            done = presenters.DONE[answer.form.cleaned_data["verb"]]
            messages.success(request, done)
            return redirect("admin:bootstrap_proposal_change", row.pk)
        context = {
            **self.admin_site.each_context(request),
            **self._shown(request, proposals.fetch(request, proposal_id), answer),
            "opts": self.opts,
            "title": "Decision refused",
        }
        page = "admin/proposal_refused.html"
        return TemplateResponse(request, page, context, status=answer.status)

    def rollback(self, request: HttpRequest, proposal_id: UUID) -> HttpResponse:
        """Propose the way back, as the dashboard does."""
        found = rollbacks.ask(
            request, proposals.fetch(request, proposal_id), via="admin"
        )
        return redirect("admin:bootstrap_proposal_change", found.pk)

    def _shown(
        self, request: HttpRequest, row: Proposal, answer: decisions.Answer | None
    ) -> dict[str, Any]:
        here = reverse("admin:bootstrap_proposal_change", args=[row.pk])
        action = reverse("admin:bootstrap_proposal_decide", args=[row.pk])
        panel = decisions.panel(request, row, action=action, back=here, answer=answer)
        undo = reverse("admin:bootstrap_proposal_rollback", args=[row.pk])
        shown = {"proposal": row, "domain": row.domain, "panel": panel}
        shown["way_back"] = rollbacks.offer(request, row, action=undo, back=here)
        return {**shown, **proposals.facts(row)}


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin[Decision]):
    """What people said."""

    zone_column = "proposal__domain__zone"

    list_display = ("verb", "actor", "via", "at", "proposal_id")
    list_filter = (known("verb", VERBS), known("via", DOORS))
    search_fields = ("actor__exact", "digest__startswith")


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin[Publication]):
    """Attempts to change the parent."""

    zone_column = "proposal__domain__zone"

    list_display = ("proposal_id", "number", "outcome", "rcode", "began_at")
    list_filter = (known("outcome", ENDINGS),)


@admin.register(Sighting)
class SightingAdmin(ReadOnlyAdmin[Sighting]):
    """What the parent's servers showed afterwards."""

    zone_column = "proposal__domain__zone"

    list_display = ("proposal_id", "server", "matches", "at")
    list_filter = ("matches",)
