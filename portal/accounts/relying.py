"""Sign-in at the registry's own identity provider: OpenID Connect, the protocol part.

Authorization code with PKCE, state and nonce; the ID token's signature, issuer,
audience, times and nonce are all checked, whatever the channel (S-102). Nothing here
knows accounts: a sign-in that holds becomes `Claims`, any other is `SignInRefused`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import jwt
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from bootstrap import clock

KEY: Final = "oidc"
"""Where a sign-in under way is kept in the session."""
PATIENCE: Final = 600
"""Seconds that a person may take at the provider."""
LEEWAY: Final = 30
"""Seconds that the provider's clock may be off."""
KEPT: Final = 600
"""Seconds for which the provider's document is remembered."""
TIMEOUT: Final = 5.0
MOST: Final = 1_000_000
"""Octets that an answer of the provider may have."""
ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Signatures by the provider's own key alone: neither none nor a shared secret."""
SECOND_FACTOR: Final = "mfa"
"""The method that says that more than one was used (RFC 8176)."""


class SignInRefused(Exception):
    """The provider's answer does not hold; the message is for the log, not the page."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who vouches for people, and how we are known there; see README, Settings."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    name_claim: str
    roles_claim: str
    acr: frozenset[str]
    """Classes of authentication that count as a second factor."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of a person who has just come from there."""

    issuer: str
    subject: str
    name: str
    mail: str
    groups: frozenset[str]
    second_factor: bool
    at: float
    """When the person showed themselves at the provider; in doubt long ago."""
    back: str
    again: bool
    """Asked for to decide something, by somebody who was in already."""


def provider() -> Provider | None:
    """Return the provider of the settings; None when people sign in here alone."""
    told: Mapping[str, Any] = settings.OIDC
    if not told["issuer"]:
        return None
    names = ("issuer", "client_id", "client_secret", "name", "name_claim")
    columns = {name: told[name] for name in names}
    acr = frozenset(told["acr"])
    return Provider(**columns, roles_claim=told["roles_claim"], acr=acr)


def begin(request: HttpRequest, asked: Provider, *, back: str, again: bool) -> str:
    """Return the address at the provider, and keep what its answer must fit.

    `again` asks for a new authentication, even of who is signed in there (S-66).

    Raises:
        SignInRefused: the provider cannot be asked.
    """
    verifier = secrets.token_urlsafe(48)
    kept = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": verifier,
        "back": back,
        "again": again,
        "at": clock.now().timestamp(),
    }
    request.session[KEY] = kept
    challenge = hashlib.sha256(verifier.encode()).digest()
    wanted = {
        "response_type": "code",
        "client_id": asked.client_id,
        "redirect_uri": _callback(request),
        "scope": "openid profile email",
        "state": kept["state"],
        "nonce": kept["nonce"],
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if asked.acr:
        wanted["acr_values"] = " ".join(sorted(asked.acr))
    if again:
        wanted |= {"prompt": "login", "max_age": "0"}
    address = _address(asked, "authorization_endpoint")
    return f"{address}{'&' if '?' in address else '?'}{urlencode(wanted)}"


def finish(request: HttpRequest, asked: Provider) -> Claims:
    """Return what the provider says, once per sign-in that was begun here.

    Raises:
        SignInRefused: the answer belongs to nothing that was begun in this session,
            or its token does not hold.
    """
    kept = request.session.pop(KEY, None)
    state = request.GET.get("state", "")
    if not kept or not hmac.compare_digest(state.encode(), kept["state"].encode()):
        raise SignInRefused("no sign-in with this state was begun here")
    if clock.now().timestamp() - kept["at"] > PATIENCE:
        raise SignInRefused("the sign-in took too long")
    if request.GET.get("iss", asked.issuer) != asked.issuer:  # RFC 9207
        raise SignInRefused("another provider answered")
    code = request.GET.get("code", "")
    if not code:
        raise SignInRefused(f"the provider says {request.GET.get('error', 'nothing')}")
    told = _verified(asked, _token(request, asked, code, kept["verifier"]))
    if not hmac.compare_digest(str(told["nonce"]).encode(), kept["nonce"].encode()):
        raise SignInRefused("the token answers another question")
    return _claims(asked, told, kept)


def document(asked: Provider) -> dict[str, Any]:
    """Return what the provider says of itself (OpenID Connect Discovery 1.0).

    Raises:
        SignInRefused: it cannot be had, or is another's.
    """
    key = f"oidc:{hashlib.sha256(asked.issuer.encode()).hexdigest()}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        address = f"{asked.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = _fetch(urllib.request.Request(address))  # noqa: S310 - checked there
        if found.get("issuer") != asked.issuer:
            raise SignInRefused("the document is another provider's")
        cache.set(key, found, KEPT)
    return found


def _address(asked: Provider, name: str) -> str:
    found = document(asked).get(name)
    if not isinstance(found, str):
        raise SignInRefused(f"the provider does not say its {name}")
    return found


def leave_url(request: HttpRequest, asked: Provider) -> str:
    """Return where one signs out at the provider; empty where that cannot be."""
    try:
        address = document(asked).get("end_session_endpoint", "")
    except SignInRefused:
        return ""
    back = request.build_absolute_uri(reverse("account_login"))
    wanted = {"client_id": asked.client_id, "post_logout_redirect_uri": back}
    return f"{address}?{urlencode(wanted)}" if address else ""


def _claims(
    asked: Provider, told: Mapping[str, Any], kept: Mapping[str, Any]
) -> Claims:
    at = told.get("auth_time")
    if kept["again"] and not isinstance(at, int):
        raise SignInRefused("the provider does not say when the person showed up")
    methods, groups = told.get("amr", ()), told.get(asked.roles_claim, ())
    strong = SECOND_FACTOR in methods or told.get("acr") in asked.acr
    return Claims(
        issuer=asked.issuer,
        subject=str(told["sub"]),
        name=str(told.get(asked.name_claim, "")),
        mail=str(told.get("email", "")) if told.get("email_verified") is True else "",
        groups=frozenset(map(str, groups if isinstance(groups, list) else ())),
        second_factor=strong,
        at=min(float(at), clock.now().timestamp()) if isinstance(at, int) else 0.0,
        back=kept["back"],
        again=kept["again"],
    )


def _verified(asked: Provider, token: str) -> dict[str, Any]:
    """Return the claims of an ID token that holds (OpenID Connect Core 1.0, 3.1.3.7)."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise SignInRefused(f"tokens are not signed by {header.get('alg')!r}")
        told: dict[str, Any] = jwt.decode(
            token,
            _key(asked, header),
            algorithms=[header["alg"]],
            audience=asked.client_id,
            issuer=asked.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
        )
    except jwt.PyJWTError as wrong:
        raise SignInRefused(f"the token does not hold: {wrong}") from wrong
    several = isinstance(told["aud"], list) and len(told["aud"]) > 1
    if told.get("azp", asked.client_id) != asked.client_id or (
        several and "azp" not in told
    ):
        raise SignInRefused("the token is for another client")
    return told


def _key(asked: Provider, header: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the library's key
    """Return the provider's key that the token names, or the only one it has."""
    address = _address(asked, "jwks_uri")
    listed = _fetch(urllib.request.Request(address)).get("keys")  # noqa: S310 - checked there
    keys = [key for key in listed if isinstance(key, dict)] if listed else []
    signing = [key for key in keys if key.get("use", "sig") == "sig"]
    wanted = header.get("kid")
    fits = [key for key in signing if wanted is None or key.get("kid") == wanted]
    if len(fits) != 1:
        raise SignInRefused("the token names no key of the provider")
    return jwt.PyJWK(fits[0], algorithm=header["alg"]).key


def _token(request: HttpRequest, asked: Provider, code: str, verifier: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _callback(request),
        "code_verifier": verifier,
    }
    pair = f"{asked.client_id}:{asked.client_secret}".encode()
    call = urllib.request.Request(  # noqa: S310 - checked where it is sent
        _address(asked, "token_endpoint"),
        data=urlencode(form).encode(),
        headers={"Authorization": f"Basic {base64.b64encode(pair).decode()}"},
    )
    token = _fetch(call).get("id_token")
    if not isinstance(token, str):
        raise SignInRefused("the provider gave no ID token")
    return token


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nobody: a provider has addresses, no detours."""

    def redirect_request(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 - the library's signature
        """Return nothing, which makes it an error."""


_OPENER: Final = urllib.request.build_opener(_Straight, urllib.request.ProxyHandler({}))


def _fetch(call: urllib.request.Request) -> dict[str, Any]:
    if urlsplit(call.full_url).scheme != "https" and not settings.LOCAL:
        raise SignInRefused("the provider is asked over TLS alone")
    try:
        with _OPENER.open(call, timeout=TIMEOUT) as answer:
            told = json.loads(answer.read(MOST))
    except (urllib.error.URLError, OSError, ValueError) as trouble:
        raise SignInRefused(f"the provider does not answer: {trouble}") from trouble
    if not isinstance(told, dict):
        raise SignInRefused("the provider answers nonsense")
    return told


def _callback(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("oidc_callback"))
