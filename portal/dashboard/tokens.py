"""Keys of machines: made by their owner, shown once, ended by owner or administrator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.models import Token, Zone
from bootstrap.services import tokens as service
from portal.access import (
    PEOPLE,
    actor_of,
    fresh_second_factor,
    may,
    staff_only,
    within,
)

PAGE: Final = "dashboard/tokens.html"
MOST: Final = 100
"""Tokens that a page shows: the newest."""


class TokenForm(forms.Form):
    """What a token is for; only what its owner may do is offered (S-111)."""

    name = forms.CharField(max_length=100, label="What it is for")
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    zones = forms.ModelMultipleChoiceField(
        Zone.objects.none(),
        required=False,
        to_field_name="name",
        widget=forms.CheckboxSelectMultiple,
        label="Only in these zones",
    )
    days = forms.IntegerField(
        min_value=1, max_value=service.LONGEST.days, initial=90, label="Days it lives"
    )

    def __init__(self, *args: Any, owner: User, zones: QuerySet[Zone]) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args)
        offered = sorted(service.granted(owner, service.SCOPES))
        scopes, field = self.fields["scopes"], self.fields["zones"]
        scopes.choices = [(scope, scope) for scope in offered]  # type: ignore[attr-defined]  # of a choice field
        field.queryset = zones.order_by("name")  # type: ignore[attr-defined]  # of a model field

    def terms(self) -> service.Terms:
        """Return what was typed."""
        typed = self.cleaned_data
        return service.Terms(
            name=typed["name"],
            scopes=tuple(typed["scopes"]),
            zones=tuple(typed["zones"]),
            life=timedelta(days=typed["days"]),
        )


@require_safe
@staff_only
def tokens(request: HttpRequest) -> HttpResponse:
    """List one's own tokens."""
    return render(request, PAGE, _shown(request, _form(request)))


def _form(request: HttpRequest) -> TokenForm:
    typed = [request.POST] if request.method == "POST" else []
    zones = within(request, Zone.objects.all(), "pk")
    return TokenForm(*typed, owner=request.user, zones=zones)  # type: ignore[arg-type]  # nobody comes here unnamed


def _shown(request: HttpRequest, form: TokenForm, secret: str = "") -> dict[str, Any]:
    mine = known_of(request.user.pk)
    return {"tokens": mine, "form": form, "secret": secret, "now": clock.now()}


def known_of(owner: int | None) -> list[Token]:
    """Return a person's tokens, the newest first."""
    rows = Token.objects.filter(owner=owner).prefetch_related("zones")
    return list(rows.order_by("-created_at", "-pk")[:MOST])


@require_POST
@staff_only
@fresh_second_factor
def issue(request: HttpRequest) -> HttpResponse:
    """Make a token; this answer alone shows its secret."""
    form = _form(request)
    if not form.is_valid():
        return render(request, PAGE, _shown(request, form), status=422)
    owner: User = request.user  # type: ignore[assignment]  # nobody comes here unnamed
    try:
        _token, secret = service.issue(
            owner, form.terms(), actor=actor_of(request), now=clock.now()
        )
    except service.TokenRefused as refusal:
        form.add_error(None, f"Not made: {refusal}.")
        return render(request, PAGE, _shown(request, form), status=409)
    fresh = TokenForm(owner=owner, zones=within(request, Zone.objects.all(), "pk"))
    return render(request, PAGE, _shown(request, fresh, secret), status=201)


@require_POST
@staff_only
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of one's own tokens."""
    row = get_object_or_404(Token, pk=token_id, owner=request.user.pk)
    _revoke(request, row)
    return redirect("dashboard:tokens")


@require_POST
@may(PEOPLE, here=False)
def revoke_of(request: HttpRequest, token_id: int) -> HttpResponse:
    """End anybody's token."""
    row = get_object_or_404(Token, pk=token_id)
    _revoke(request, row)
    return redirect("dashboard:person", user_id=row.owner_id)


def _revoke(request: HttpRequest, row: Token) -> None:
    if service.revoke(row, actor=actor_of(request), now=clock.now()):
        messages.success(request, f"The token {row.prefix} has ended.")
    else:
        messages.info(request, "It had ended already.")
