"""How one reads pages: the time zone, and lists that were given another layout."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bootstrap import clock
from bootstrap.services import preferences
from portal import moments
from portal.access import person_of, staff_only


def _choices() -> list[Any]:
    """Return UTC and the places, by area."""
    by_area: dict[str, list[tuple[str, str]]] = {}
    for name in preferences.places():
        area, _slash, rest = name.partition("/")
        by_area.setdefault(area, []).append((name, rest.replace("_", " ")))
    return [("", "UTC"), *by_area.items()]


class ZoneForm(forms.Form):
    """A place of the time zone database; empty for UTC."""

    place = forms.ChoiceField(required=False, choices=_choices)

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # Django's options
        self.fields["place"].label = _("Time zone")


@require_safe
@staff_only
def display(request: HttpRequest) -> HttpResponse:
    """Show how this person reads pages, as a form."""
    form = ZoneForm(initial={"place": preferences.place_of(request.user)})
    return _page(request, form)


@require_POST
@staff_only
def choose(request: HttpRequest) -> HttpResponse:
    """Remember a time zone."""
    form = ZoneForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    preferences.choose_zone(person_of(request), form.cleaned_data["place"])
    messages.success(request, _("Remembered."))
    return redirect("display")


@require_POST
@staff_only
def reset(request: HttpRequest) -> HttpResponse:
    """Show all lists as they come."""
    preferences.forget_layouts(person_of(request))
    messages.success(request, _("All lists look as they come."))
    return redirect("display")


def _page(request: HttpRequest, form: ZoneForm, status: int = 200) -> HttpResponse:
    with moments.read_in(preferences.zone_of(request.user)):
        context = {
            "form": form,
            "now": moments.told(clock.now()),
            "lists": sorted(preferences.layouts_of(request.user)),
        }
    return render(request, "account/display.html", context, status=status)
