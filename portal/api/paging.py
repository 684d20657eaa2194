"""Long lists by cursor: a row is visited once, whatever is added meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q, QuerySet
from ninja import Field, Schema
from pydantic import StringConstraints

from .problems import Problem

Shown = TypeVar("Shown")
Row = TypeVar("Row", bound=Model)
MOST: Final = 200
SALT: Final = "api.cursor"

Text = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")]
"""Text that any database can look for."""


class Page(Schema, Generic[Shown]):
    """Some rows, and the cursor of the next ones; none at the end."""

    items: list[Shown]
    next: str | None


class Where(Schema):
    """Which part of a list: `cursor` is the `next` of the page before."""

    cursor: Annotated[
        str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")
    ] = ""
    limit: int = Field(50, ge=1, le=MOST)


def page(rows: QuerySet[Row], where: Where, order: Sequence[str]) -> dict[str, Any]:
    """Return the page after the cursor: one query.

    `order` names columns that together are unique and never change, so that rows
    which come meanwhile move nobody else; "-" goes down.

    Raises:
        Problem: the cursor is not one that this list gave.
    """
    salt = f"{SALT}.{rows.model._meta.label}.{','.join(order)}"  # noqa: SLF001 - Django's documented API
    if where.cursor:
        rows = rows.filter(_after(_opened(where.cursor, salt), order))
    found = list(rows.order_by(*order)[: where.limit + 1])
    items = found[: where.limit]
    more = len(found) > where.limit
    return {"items": items, "next": _sealed(items[-1], order, salt) if more else None}


def _after(values: Sequence[Any], order: Sequence[str]) -> Q:
    """Return what is behind these values: the first column that differs says so."""
    later, same = Q(), Q()
    for column, value in zip(order, values, strict=True):
        name = column.removeprefix("-")
        sign = "lt" if column.startswith("-") else "gt"
        later |= same & Q(**{f"{name}__{sign}": value})
        same &= Q(**{name: value})
    return later


def _sealed(row: Model, order: Sequence[str], salt: str) -> str:
    values = [getattr(row, column.removeprefix("-")) for column in order]
    return signing.dumps(values, salt=salt, serializer=_Json)


def _opened(cursor: str, salt: str) -> list[Any]:
    try:
        values: list[Any] = signing.loads(cursor, salt=salt, serializer=_Json)
    except signing.BadSignature as wrong:
        raise Problem(422, "This cursor is not from this list.") from wrong
    return values


class _Json(signing.JSONSerializer):
    """JSON that keeps every digit of a time."""

    def dumps(self, obj: Any) -> bytes:  # noqa: ANN401 - Django's signature
        """Return the octets of values; times with all their digits."""
        return _Exact(separators=(",", ":")).encode(obj).encode()


class _Exact(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:  # noqa: ANN401 - Django's signature
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)
