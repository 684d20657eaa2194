"""What people type: decisions bound by digest, filters, comments."""

from __future__ import annotations

from django import forms

from bootstrap.models import DomainState, Zone
from portal.access import VERBS

MAX_COMMENT = 2000


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


class DomainFilter(forms.Form):
    """The filters of the list of domains; they live in the query string."""

    q = forms.CharField(required=False, max_length=255, label="Name contains")
    zone = forms.ModelChoiceField(
        Zone.objects.all(), required=False, to_field_name="name", empty_label="any"
    )
    state = forms.ChoiceField(
        required=False, choices=[("", "any"), *DomainState.choices]
    )
    reason = forms.CharField(required=False, max_length=40)


class QueueFilter(forms.Form):
    """The filters of the queue."""

    q = forms.CharField(required=False, max_length=255, label="Name contains")
    zone = forms.ModelChoiceField(
        Zone.objects.all(), required=False, to_field_name="name", empty_label="any"
    )
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", "any"),
            ("candidate", "candidate"),
            ("held", "held"),
            ("failed", "failed"),
        ],
    )
    path = forms.ChoiceField(
        required=False,
        choices=[
            ("", "any"),
            ("bootstrap", "bootstrap"),
            ("update", "update"),
            ("removal", "removal"),
        ],
        label="Kind",
    )


class TrailFilter(forms.Form):
    """The filters of the trail."""

    q = forms.CharField(required=False, max_length=255, label="Stream contains")
    type = forms.CharField(required=False, max_length=60)
    since = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
