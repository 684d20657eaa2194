"""Roles of people: asked for by one administrator, confirmed by another (S-64)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from bootstrap import clock
from bootstrap.models import RoleRequest, ZoneRole
from bootstrap.services import roles as service
from portal.access import PEOPLE, actor_of, fresh_second_factor, may

from .forms import RoleForm
from .people import shown

PAGE = "dashboard/person.html"


@require_POST
@may(PEOPLE, here=False)
@fresh_second_factor
def ask(request: HttpRequest, user_id: int) -> HttpResponse:
    """Write down that a person shall have a role."""
    person = get_object_or_404(User, pk=user_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return render(request, PAGE, shown(person, form), status=422)
    role, zone = form.cleaned_data["role"], form.cleaned_data["zone"]
    wish = service.Wish(person, role.name, zone, form.cleaned_data["reason"])
    try:
        service.ask(wish, actor=actor_of(request), now=clock.now())
    except service.GrantRefused as refusal:
        return render(request, PAGE, shown(person, form, str(refusal)), status=409)
    messages.success(request, "Written down. Another administrator must confirm it.")
    return redirect("dashboard:person", user_id=person.pk)


@require_POST
@may(PEOPLE, here=False)
@fresh_second_factor
def decide(request: HttpRequest, request_id: int) -> HttpResponse:
    """Confirm as a second person, or refuse."""
    row = get_object_or_404(RoleRequest.objects.select_related("user"), pk=request_id)
    confirming = request.POST.get("verb") == "confirm"
    verb = service.confirm if confirming else service.refuse
    said = request.POST.get("comment", "").strip()[:2000]
    try:
        verb(row, actor=actor_of(request), comment=said, now=clock.now())
    except service.GrantRefused as refusal:
        context = shown(row.user, refusal=str(refusal))
        return render(request, PAGE, context, status=409)
    messages.success(request, "The role is granted." if confirming else "Refused.")
    return redirect("dashboard:person", user_id=row.user_id)


@require_POST
@may(PEOPLE, here=False)
def revoke(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take a role away; that needs no second person."""
    person = get_object_or_404(User, pk=user_id)
    wish = service.Wish(person, request.POST.get("role", ""))
    if place := request.POST.get("place", ""):
        rows = ZoneRole.objects.filter(user=person).select_related("role", "zone")
        one = get_object_or_404(rows, pk=int(place) if place.isdecimal() else 0)
        wish = service.Wish(person, one.role.name, one.zone)
    try:
        service.revoke(wish, actor=actor_of(request), now=clock.now())
    except service.GrantRefused as refusal:
        messages.error(request, f"Nothing was changed: {refusal}.")
    else:
        messages.success(request, "The role is taken away.")
    return redirect("dashboard:person", user_id=person.pk)
