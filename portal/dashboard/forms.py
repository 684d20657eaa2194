"""What people type: decisions bound by digest, filters, comments."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import QuerySet

from bootstrap.core.evaluation.delegation import Suspension
from bootstrap.models import DomainState, Zone
from portal.access import VERBS

from . import layouts

MAX_COMMENT = 2000


MOST_CHOSEN = 1000
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
IDS = re.compile(UUID)
PAIR = re.compile(rf"({UUID}):([0-9a-f]{{64}})(?= |$)")


def _any(*words: str) -> list[tuple[str, str]]:
    return [("", "any"), *((word, word) for word in words)]


class DecisionForm(forms.Form):
    """One decision about what was on the screen (S-65).

    `digest` names the proposal as it was shown; `shown` is the signed snapshot
    that tells, when the digest no longer holds, what has changed since.
    """

    verb = forms.ChoiceField(choices=[(verb, verb) for verb in VERBS])
    digest = forms.RegexField(r"^[0-9a-f]{64}\Z")
    shown = forms.CharField(required=False)
    comment = forms.CharField(
        max_length=MAX_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why: a decision needs a comment."},
    )


class CommentForm(forms.Form):
    """A mandatory comment, as for acknowledging an alarm."""

    comment = forms.CharField(max_length=MAX_COMMENT)


class OfZones(forms.Form):
    """A form whose `zone` is one of those that the person sees (S-105).

    They are asked for once a form; `may_lack` says whether none may be chosen.
    """

    may_lack = True

    def __init__(self, *args: Any, zones: QuerySet[Zone], **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        known = {zone.name: zone for zone in zones}
        self.fields["zone"] = forms.TypedChoiceField(
            required=not self.may_lack,
            choices=_any(*known) if self.may_lack else [(name, name) for name in known],
            coerce=known.get,
            empty_value=None,
        )


class DomainFilter(OfZones):
    """The filters of the list of domains; they live in the query string."""

    q = forms.CharField(required=False, max_length=255, label="Name contains")
    zone = forms.TypedChoiceField(required=False)
    state = forms.ChoiceField(
        required=False, choices=[("", "any"), *DomainState.choices]
    )
    reason = forms.CharField(required=False, max_length=40)
    operator = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput()
    )


class QueueFilter(OfZones):
    """The filters of the queue."""

    q = forms.CharField(required=False, max_length=255, label="Name contains")
    zone = forms.TypedChoiceField(required=False)
    state = forms.ChoiceField(
        required=False, choices=_any("candidate", "held", "failed")
    )
    path = forms.ChoiceField(
        required=False, choices=_any("bootstrap", "update", "removal"), label="Kind"
    )
    operator = forms.CharField(required=False, max_length=255)
    registrar = forms.CharField(required=False, max_length=200)
    reason = forms.CharField(required=False, max_length=40)
    age = forms.ChoiceField(
        required=False,
        choices=[
            ("", "any"),
            ("hour", "over an hour"),
            ("day", "over a day"),
            ("week", "over a week"),
            ("expiring", "expires within 12 hours"),
        ],
        label="Waiting",
    )
    decided = forms.ChoiceField(
        required=False, choices=_any("me"), widget=forms.HiddenInput()
    )


class BatchForm(forms.Form):
    """Changes chosen in a list; in the second step with digests and a reason."""

    verb = forms.ChoiceField(choices=[("approve", "approve"), ("reject", "reject")])
    comment = forms.CharField(required=False, max_length=MAX_COMMENT)
    every = forms.BooleanField(required=False)
    """All that the filters of the address leave, instead of chosen ones."""

    def clean(self) -> dict[str, Any]:
        """Read the chosen ids, each with the digest that was on the screen."""
        cleaned = super().clean() or {}
        chosen = self.data.getlist("chosen")  # type: ignore[attr-defined]  # a QueryDict
        seen = dict(PAIR.findall(" ".join(chosen)))
        if not cleaned.get("every") and not 0 < len(chosen) <= MOST_CHOSEN:
            raise forms.ValidationError("Choose between one and a thousand changes.")
        ids = [part for part in (IDS.match(text) for text in chosen) if part]
        cleaned["chosen"] = [part.group(0) for part in ids]
        cleaned["seen"] = seen
        return cleaned


class ViewForm(forms.Form):
    """A name for the filters that are set."""

    name = forms.CharField(max_length=60)
    shared = forms.BooleanField(required=False)

    def params(self) -> dict[str, str]:
        """Return the filters and the layout that came along and are not empty."""
        names = (*QueueFilter.base_fields, *layouts.KEYS)
        return {key: str(self.data[key]) for key in names if self.data.get(key)}


class ZoneChoice(OfZones):
    """One of our zones, by its name."""

    may_lack = False

    zone = forms.TypedChoiceField()


class SuspendForm(forms.Form):
    """Why automation is turned off for a child (P-5.46)."""

    cause = forms.ChoiceField(choices=[(each.value, each.value) for each in Suspension])
    comment = forms.CharField(max_length=MAX_COMMENT)


def _day() -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(required=False, widget=widget)


class TrailFilter(forms.Form):
    """The filters of the trail."""

    q = forms.CharField(required=False, max_length=255, label="Stream begins with")
    domain = forms.CharField(required=False, max_length=255)
    actor = forms.CharField(required=False, max_length=150, label="Person")
    type = forms.CharField(required=False, max_length=60, label="Kind begins with")
    since = _day()
    until = _day()


class PeriodFilter(forms.Form):
    """A period of whole days in UTC."""

    since = _day()
    until = _day()

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "It ends before it begins.")
        return cleaned


class RoleForm(forms.Form):
    """A role for one person, everywhere or in one zone, and why."""

    role = forms.ModelChoiceField(
        Group.objects.order_by("name"), to_field_name="name", empty_label=None
    )
    zone = forms.ModelChoiceField(
        Zone.objects.all(),
        required=False,
        to_field_name="name",
        empty_label="all zones",
    )
    reason = forms.CharField(max_length=MAX_COMMENT, label="Why")
