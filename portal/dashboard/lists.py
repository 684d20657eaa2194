"""What a person chose for a long list: into the address, or remembered for always."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from bootstrap.services import preferences
from portal.access import person_of, staff_only

from . import layouts

LOST: Final = ("page", *layouts.KEYS)
"""What an address no longer says once its layout is another one."""


@require_POST
@staff_only
def layout(request: HttpRequest, what: str) -> HttpResponse:
    """Show a list with the chosen columns, order and size; "always" remembers them."""
    if what not in layouts.OFFERS:
        raise Http404
    form, act = request.POST, request.POST.get("act", "")
    chosen = form.getlist("columns"), form.get("sort", ""), form.get("size", "")
    back = form.get("back", "")
    # a saved view has a layout of its own: there every word is needed
    usual = None if "view=" in back else layouts.of(what, request, {})
    told = {} if act else layouts.told(what, *chosen, usual)
    response = redirect(_back(back, told))
    person = person_of(request)
    if act == "always":
        preferences.keep_layout(person, what, layouts.told(what, *chosen))
    elif act == "reset":
        preferences.forget_layouts(person, what)
    return response


def _back(address: str, told: dict[str, str]) -> str:
    """Return the address of the list, filters and all, under another layout."""
    if not url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return "/"
    parts = urlsplit(address)
    query = QueryDict(parts.query, mutable=True)
    for key in LOST:
        query.pop(key, None)
    query.update(told)
    return f"{parts.path}?{query.urlencode()}" if query else parts.path
