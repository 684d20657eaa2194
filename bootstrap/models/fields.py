"""Columns for values of the DNS: canonical text in the row, values in Python."""

from __future__ import annotations

from django.db import models

NAME_LENGTH = 1020
"""Longest presentation form: 255 octets, each escaped as four characters."""
DIGEST_LENGTH = 64
"""SHA-256 in hex."""


class NameField(models.CharField[str, str]):
    """A canonical name as text: lower case, A-labels, no last dot (S-50)."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("max_length", NAME_LENGTH)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own open signature


class DigestField(models.CharField[str, str]):
    """A SHA-256 digest in lower-case hex: the content address of something."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("max_length", DIGEST_LENGTH)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own open signature
