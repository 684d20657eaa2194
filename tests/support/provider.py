"""A small real identity provider on loopback: OpenID Connect, and lies on demand.

It keeps to OpenID Connect Core 1.0 for the code flow, with PKCE demanded. Tokens are
signed here by hand, so that no library is tried against itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

CLIENT = "portal"
SECRET = "a secret: with a colon"
CALLBACK = "http://testserver/accounts/oidc/callback/"


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Provider:
    """`person` is who sits before it; the other fields are what it is made to say."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    shown_at: float = field(default_factory=time.time)
    """When the person last showed themselves."""
    said: dict[str, Any] = field(default_factory=dict)
    """Claims that go over what would be true; None takes one away."""
    alg: str = "ES256"
    kid: str = "one"
    client_secret: str = SECRET
    document: dict[str, Any] = field(default_factory=dict)
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    signs_with: ec.EllipticCurvePrivateKey | None = None
    """Another key than the published one."""
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def authorize(self, query: dict[str, str]) -> tuple[int, str]:
        """Return where the browser goes: back, with a code."""
        self.asked.append(query)
        good = {
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        if any(query.get(name) != value for name, value in good.items()):
            return 400, "not a request of a client of ours"
        if query.get("prompt") == "login" or query.get("max_age") == "0":
            self.shown_at = time.time()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return 302, f"{CALLBACK}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Exchange a code, once, for who showed its challenge."""
        pair = f"{CLIENT}:{self.client_secret}".encode()
        right = f"Basic {base64.b64encode(pair).decode()}"
        asked = self.codes.pop(form.get("code", ""), None)
        if authorization != right or asked is None:
            return 400, {"error": "invalid_grant"}
        shown = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if b64(shown) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        token = self.id_token(asked["nonce"])
        return 200, {"id_token": token, "access_token": "x", "token_type": "Bearer"}

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "auth_time": int(self.shown_at),
            "nonce": nonce,
            **self.person,
            **self.said,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.alg, "kid": self.kid, "typ": "JWT"}
        body = ".".join(b64(json.dumps(part).encode()) for part in (header, kept))
        return f"{body}.{b64(self._signature(body.encode()))}"

    def _signature(self, body: bytes) -> bytes:
        if self.alg == "none":
            return b""
        if self.alg == "HS256":  # by what everybody can read
            return hmac.digest(json.dumps(self.jwk()).encode(), body, "sha256")
        key = self.signs_with or self.key
        r, s = utils.decode_dss_signature(key.sign(body, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jwk(self) -> dict[str, str]:
        numbers = self.key.public_key().public_numbers()
        point = {n: b64(getattr(numbers, n).to_bytes(32, "big")) for n in ("x", "y")}
        return {"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", **point}

    def told(self) -> dict[str, Any]:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
        }
        return found | self.document


class Handler(BaseHTTPRequestHandler):
    """The provider's addresses."""

    provider: Provider

    def log_message(self, *_args: Any) -> None:
        """Keep silent."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: value[0] for key, value in parse_qs(parts.query).items()}
        pages = {
            "/.well-known/openid-configuration": self.provider.told,
            "/jwks": lambda: {"keys": [self.provider.jwk()]},
        }
        if parts.path == "/authorize":
            status, there = self.provider.authorize(query)
            self.answer(status, {"to": there}, Location=there)
        elif parts.path in pages:
            self.answer(200, pages[parts.path]())
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        told = parse_qs(self.rfile.read(size).decode())
        form = {key: value[0] for key, value in told.items()}
        status, answer = self.provider.token(form, self.headers["Authorization"])
        self.answer(status, answer)

    def answer(self, status: int, told: Any, **headers: str) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running():
    """Start a provider on a free port; end it with the block."""
    provider = Provider()
    handler = type("Ours", (Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield provider
        server.shutdown()
        thread.join()
