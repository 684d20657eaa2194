"""The API as a whole: its operations, its document, its errors, its addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, re_path
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema

from bootstrap import VERSION

from . import changes, evaluations, problems, public, registry, trail, writing

View = Callable[..., HttpResponse]
DESCRIPTION = """Everything that staff can read, and no decision.

Send a token as `Authorization: Bearer …`; `manage.py token issue` makes one. Lists
give `next`, to be sent as `cursor`. Errors are problem details (RFC 9457). A write
with an `Idempotency-Key` is done once and answered alike for 24 hours."""


class Page(DocsBase):
    """The document's page, from our own files: no other host, nothing inline."""

    def render_page(
        self,
        request: HttpRequest,
        api: NinjaAPI,
        **kwargs: Any,  # noqa: ANN401 - the library's signature
    ) -> HttpResponse:
        """Show the operations; they can be tried with a token."""
        context = {
            "settings": {
                "url": self.get_openapi_url(api, kwargs),
                "layout": "BaseLayout",
                "deepLinking": False,  # a link inside of a button is a barrier
            }
        }
        return render(request, "api/docs.html", context)


class Api(NinjaAPI):
    """The operations, with the form of their errors in the document."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:  # noqa: ANN401 - the library's signature
        """Return the document; every operation may answer with a problem."""
        schema = super().get_openapi_schema(**kwargs)
        content = {problems.MEDIA: {"schema": dict(problems.SCHEMA)}}
        told = {"description": "Problem", "content": content}
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"]["default"] = told
        return schema


api = Api(
    title="DS Bootstrapping",
    version=VERSION,
    description=DESCRIPTION,
    urls_namespace="api",
    docs=Page(),
)
for part in (registry, evaluations, changes, trail, writing, public):
    api.add_router("", part.router)

HANDLERS: Mapping[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    problems.Problem: problems.on_problem,
    Http404: problems.on_not_found,
    ValidationError: problems.on_invalid,
    HttpError: problems.on_http_error,
    Exception: problems.on_fault,
}
for fault, handler in HANDLERS.items():
    api.add_exception_handler(fault, handler)


def framed(view: View) -> View:
    """Give a view of the library what all of ours have.

    Open without a session, since tokens are asked for inside; HEAD like GET; 405
    as a problem; an ETag, and 304 for who has it already.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        looked = request.method == "HEAD"
        if looked:
            request.method = "GET"
        response = view(request, *args, **kwargs)
        if response.status_code == 405:  # noqa: PLR2004 - HTTP's own number
            return _not_allowed(request, response)
        return _conditional(request, response)

    inner.login_required = False  # type: ignore[attr-defined]  # read by Django's middleware
    return csrf_exempt(inner)


def _not_allowed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    told = problems.answer(request, 405, "This address has no such method.")
    told["Allow"] = response["Allow"]
    return told


def _conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if request.method != "GET" or response.status_code != 200:  # noqa: PLR2004 - HTTP's own number
        return response
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.setdefault("ETag", etag)
    response.setdefault("Cache-Control", "private, no-cache")
    return get_conditional_response(request, etag=etag, response=response) or response


def nothing(request: HttpRequest) -> HttpResponse:
    """Answer for every other address."""
    return problems.answer(request, 404, "There is no such thing here.")


def _patterns() -> list[URLPattern]:
    found = [one for one in api.urls[0] if isinstance(one, URLPattern)]
    for one in found:
        one.callback = framed(one.callback)
        if one.name == "openapi-view":  # its style sheet draws arrows as data: URIs
            one.callback = csp_update({"img-src": ["data:"]})(one.callback)
    return [*found, re_path(r"", framed(nothing), name="nothing")]


app_name = "api"
urlpatterns = _patterns()
