"""A zone's rules as a form: one field for each setting and each part of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, ClassVar, Final, Self

from django import forms

from bootstrap.core.evaluation.policy import AcceptancePolicy
from bootstrap.models import RoutingMode, Zone
from bootstrap.services import zones

LEFT_OUT: Final = frozenset({"skip_families"})
"""A property of the site that looks, not of a zone."""
NUMBERS: Final = frozenset({"digests", "forbidden_algorithms"})
"""Lists of numbers; the other lists are words."""
YEAR: Final = 31_536_000
PREFIX: Final = "policy_"
ACRONYMS: Final = frozenset({"ns", "nsec3", "rsa", "ds"})


class WordList(forms.CharField):
    """Words or numbers between commas, as a list; the order is kept."""

    def __init__(self, *, numbers: bool = False, **options: Any) -> None:  # noqa: ANN401 - a field's options
        self.numbers = numbers
        super().__init__(required=False, max_length=1000, **options)

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - Django's signature
        """Show a list as text."""
        listed = isinstance(value, list | tuple)
        return ", ".join(map(str, value)) if listed else value

    def clean(self, value: Any) -> list[Any]:  # noqa: ANN401 - Django's signature
        """Read the text."""
        parts = [part.strip() for part in super().clean(value).split(",")]
        kept = [part for part in parts if part]
        if not self.numbers:
            return kept
        if not all(part.isascii() and part.isdigit() for part in kept):
            raise forms.ValidationError("Numbers between commas.")
        return [int(part) for part in kept]


def _policy_fields() -> dict[str, forms.Field]:
    default = AcceptancePolicy()
    return {
        PREFIX + field.name: _field(field.name, getattr(default, field.name))
        for field in fields(default)
        if field.name not in LEFT_OUT
    }


def label_of(name: str) -> str:
    """Return what a setting or a part of the policy is called on pages."""
    if name in RulesForm.base_fields:
        return str(RulesForm.base_fields[name].label or name.capitalize())
    return _words(name)


def _words(name: str) -> str:
    words = [w.upper() if w in ACRONYMS else w for w in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _field(name: str, like: object) -> forms.Field:
    label = _words(name)
    if isinstance(like, bool):
        return forms.BooleanField(required=False, label=label)
    if isinstance(like, tuple):
        return WordList(numbers=name in NUMBERS, label=label)
    seconds = isinstance(like, timedelta)
    label = f"{label}, seconds" if seconds else label
    return forms.IntegerField(min_value=0, max_value=10 * YEAR, label=label)


class RulesForm(forms.Form):
    """Settings of a zone and its policy, and why they change."""

    SETTINGS: ClassVar[tuple[str, ...]] = (
        "routing",
        "two_persons",
        "automated",
        "observe_seconds",
        "quiet_seconds",
        "scan_every_seconds",
        "ds_ttl_initial",
        "ds_ttl",
        "max_removed_share",
        "primary",
        "servers",
    )

    routing = forms.ChoiceField(choices=RoutingMode.choices, label="Approval")
    two_persons = forms.BooleanField(required=False, label="Two persons approve")
    automated = forms.BooleanField(required=False, label="Automation is on")
    observe_seconds = forms.IntegerField(
        min_value=0, max_value=YEAR, label="Observed for, seconds"
    )
    quiet_seconds = forms.IntegerField(
        min_value=0, max_value=YEAR, label="Quiet after NS change, seconds"
    )
    scan_every_seconds = forms.IntegerField(
        min_value=60, max_value=YEAR, label="Scanned every, seconds"
    )
    ds_ttl_initial = forms.IntegerField(
        min_value=0, max_value=YEAR, label="DS TTL at first, seconds"
    )
    ds_ttl = forms.IntegerField(
        min_value=0, max_value=YEAR, label="DS TTL later, seconds"
    )
    max_removed_share = forms.FloatField(
        min_value=0, max_value=1, label="Share removed by one import, at most"
    )
    primary = forms.CharField(required=False, max_length=64)
    servers = WordList(label="Servers to show DS")
    reason = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), label="Why"
    )

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        super().__init__(*args, **options)
        self.fields |= _policy_fields()

    @classmethod
    def of(cls, zone: Zone, policy: AcceptancePolicy) -> Self:
        """Return the form as the zone's rules are now."""
        text = {PREFIX + key: value for key, value in zones.text_of(policy).items()}
        now = {name: getattr(zone, name) for name in cls.SETTINGS}
        return cls(initial=now | text)

    @property
    def setting_fields(self) -> list[forms.BoundField]:
        """The settings, for the page."""
        return [self[name] for name in self.SETTINGS]

    @property
    def policy_part(self) -> list[forms.BoundField]:
        """The policy, for the page."""
        return [self[name] for name in self.fields if name.startswith(PREFIX)]

    def settings(self) -> dict[str, Any]:
        """Return the columns as they were typed."""
        return {name: self.cleaned_data[name] for name in self.SETTINGS}

    def policy(self, before: AcceptancePolicy) -> AcceptancePolicy:
        """Return the policy as it was typed; what the form lacks stays."""
        typed: Mapping[str, Any] = {
            name.removeprefix(PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX)
        }
        return zones.policy_from({**zones.text_of(before), **typed})
