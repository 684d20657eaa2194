"""Columns for values of the DNS: canonical text in the row, values in Python."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import models

from . import squeezed

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

NAME_LENGTH = 1020
"""Longest presentation form: 255 octets, each escaped as four characters."""
DIGEST_LENGTH = 64
"""SHA-256 in hex."""
ADDRESS: Final = re.compile(r"[0-9a-f]{64}")
BEGIN: Final = re.compile(r"[0-9a-f]{0,64}")
VIEW_LIMIT: Final = 16 * 1024 * 1024
"""Octets of the largest view that a row may hold."""


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


class AddressField(models.Field[str, str]):
    """A SHA-256 digest in lower-case hex, stored as its 32 octets.

    What is no hex is no address: it cannot be stored, and is found nowhere.
    """

    description = "SHA-256 digest"

    def get_internal_type(self) -> str:
        """Return what the database keeps it as."""
        return "BinaryField"

    def get_prep_value(self, value: Any) -> bytes | None:  # noqa: ANN401 - Django's own
        """Return the octets of a digest.

        Raises:
            ValueError: it is no hex.
        """
        if value is None or isinstance(value, bytes):
            return value
        return bytes.fromhex(str(value))

    @staticmethod
    def from_db_value(value: Any, *_: object) -> str | None:  # noqa: ANN401 - Django's own
        """Return the digest as text."""
        return None if value is None else bytes(value).hex()


@AddressField.register_lookup
class BeginsWith(models.Lookup[str]):
    """Addresses whose hex begins like this: a range of octets."""

    lookup_name = "startswith"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        """Return the range.

        Raises:
            EmptyResultSet: no address begins like this.
        """
        begin = str(self.rhs).strip().lower()
        if not BEGIN.fullmatch(begin):
            raise EmptyResultSet
        column, given = self.process_lhs(compiler, connection)
        ends = (begin.ljust(DIGEST_LENGTH, digit) for digit in "0f")
        octets = [bytes.fromhex(end) for end in ends]
        return f"{column} BETWEEN %s AND %s", (*given, *octets)


class ViewField(models.BinaryField[Any, Any]):
    """Plain JSON for pages, stored small; empty lists take no octet.

    No query looks into it: what is to be found has columns of its own.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("default", list)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own open signature

    def get_db_prep_value(
        self,
        value: Any,  # noqa: ANN401 - Django's own
        connection: BaseDatabaseWrapper,  # noqa: ARG002 - Django's own
        prepared: bool = False,  # noqa: ARG002, FBT001, FBT002 - Django's own
    ) -> Any:  # noqa: ANN401 - Django's own
        """Return the blob."""
        return value if isinstance(value, bytes) else squeeze_view(value)

    @staticmethod
    def from_db_value(value: Any, *_: object) -> Any:  # noqa: ANN401 - Django's own
        """Return the JSON that the blob holds."""
        blob = bytes(value)
        return json.loads(squeezed.unsqueeze(blob, VIEW_LIMIT)) if blob else []


def squeeze_view(value: object) -> bytes:
    """Return JSON as a column of views keeps it."""
    if not value:
        return b""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return squeezed.squeeze(text.encode(), squeezed.VIEWS)
