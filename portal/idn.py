"""Names in Unicode: shown where nobody can be fooled (S-56), understood when typed."""

from __future__ import annotations

import unicodedata
from typing import Final

import idna

ACE: Final = "xn--"
COMMON: Final = frozenset({"DIGIT", "HYPHEN-MINUS"})
ALLOWED: Final = (
    frozenset({"LATIN"}),
    frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"ARABIC"}),
    frozenset({"HEBREW"}),
    frozenset({"DEVANAGARI"}),
    frozenset({"THAI"}),
    frozenset({"TAMIL"}),
    frozenset({"ARMENIAN"}),
    frozenset({"GEORGIAN"}),
)
"""Scripts that may meet in one label.

Greek and Cyrillic are left out: whole words of theirs look like Latin ones
(`xn--pple-43d`), so their names stay A-labels.
"""


def safe_unicode(text: str) -> str | None:
    """Return the name with U-labels, or None when it has none or one is unsafe."""
    labels = text.lower().rstrip(".").split(".")
    if not any(label.startswith(ACE) for label in labels):
        return None
    decoded = [_decoded(label) for label in labels]
    if any(label is None for label in decoded):
        return None
    return ".".join(label for label in decoded if label is not None)


def ascii_form(text: str) -> str:
    """Return what somebody typed with U-labels as A-labels, as names are kept.

    A label that cannot be one stays as it is, and will be found nowhere.
    """
    return ".".join(_encoded(label) for label in text.lower().split("."))


def _encoded(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return label


def _decoded(label: str) -> str | None:
    if not label.startswith(ACE):
        return label
    try:
        plain = idna.decode(label)
        again = idna.encode(plain).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None
    return plain if again == label and _one_script(plain) else None


def _one_script(label: str) -> bool:
    scripts = {unicodedata.name(char, "UNNAMED").split()[0] for char in label}
    return any(scripts - COMMON <= allowed for allowed in ALLOWED)
