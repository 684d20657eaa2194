"""The files of the audit log, read only: checkpoint and tiles for all, entries for auditors.

As C2SP tlog-tiles has them, below the address that is the log's name. A web server in
front may serve the same files from `AUDIT_LOG_DIR`; nothing here asks the database.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.http import require_safe

from bootstrap import config
from bootstrap.services.logfiles import CHECKPOINT, KEY, LogFiles
from portal.access import AUDIT, holds, is_staff

ELSEWHERE: Final = "log"
"""Where the files are when the log's name has no path of its own."""
NUMBER: Final = r"(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?"
OCTETS: Final = "application/octet-stream"
TEXT: Final = "text/plain; charset=utf-8"
FOR_EVER: Final = "max-age=31536000, immutable"
"""A tile of a width never changes (C2SP tlog-tiles)."""
A_MOMENT: Final = "max-age=5"


def log_patterns(origin: str | None = None) -> list[URLPattern]:
    """Return the addresses of the log's files, below the path of its name."""
    name = settings.BOOTSTRAP["AUDIT_ORIGIN"] if origin is None else origin
    below = re.escape(str(name).partition("/")[2].strip("/") or ELSEWHERE)
    return [
        re_path(rf"^{below}/checkpoint\Z", head, {"path": CHECKPOINT}),
        re_path(rf"^{below}/key\Z", head, {"path": KEY}),
        re_path(rf"^{below}/(?P<path>tile/[0-9]{{1,2}}/{NUMBER})\Z", tile),
        re_path(rf"^{below}/(?P<path>tile/entries/{NUMBER})\Z", entries),
    ]


@login_not_required
@require_safe
def head(request: HttpRequest, path: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Hand out the newest checkpoint, or the public key beside it."""
    return _file(path, TEXT, f"public, {A_MOMENT}")


@login_not_required
@require_safe
def tile(request: HttpRequest, path: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Hand out hashes: they tell nothing of what was hashed."""
    return _file(path, OCTETS, f"public, {FOR_EVER}")


@require_safe
def entries(request: HttpRequest, path: str) -> HttpResponse:
    """Hand out the entries themselves, to who may read the trail."""
    if not (is_staff(request.user) and holds(request.user, AUDIT)):
        raise PermissionDenied
    return _file(path, OCTETS, f"private, {FOR_EVER}")


def _file(path: str, kind: str, keep: str) -> HttpResponse:
    data = LogFiles(config.log_folder()).read(path)
    if data is None:
        told = (
            "there is no such file of the log (yet, or a fuller one took its place)\n"
        )
        return HttpResponse(told, content_type=TEXT, status=HTTPStatus.NOT_FOUND)
    response = HttpResponse(data, content_type=kind)
    response["Cache-Control"] = keep
    return response
