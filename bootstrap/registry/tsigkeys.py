"""Key files in BIND's form: `key "name" { algorithm …; secret "…"; };`.

The secret is never part of an error or of a representation (S-80).
"""

from __future__ import annotations

import base64
import binascii
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import dns.name
import dns.tsig

from bootstrap.core.dns.names import InvalidName, Name, parse_name

ALGORITHMS: Final = {
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}
"""HMAC-SHA-256 or better, never truncated (S-81)."""
MIN_SECRET: Final = 16
"""Octets; shorter secrets can be guessed (RFC 8945, section 8 asks for more)."""
MAX_FILE: Final = 65_536

_TOKEN: Final = re.compile(
    r"""(?P<comment>//[^\n]*|\#[^\n]*|/\*.*?\*/)|(?P<space>\s+)"""
    r"""|(?P<mark>[{};])|"(?P<quoted>[^"\n]*)"|(?P<word>[^\s{};"]+)""",
    re.DOTALL,
)


class KeyFileInvalid(Exception):
    """The file holds no usable key; the message names file and line."""


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A shared secret by name; `warnings` are for whoever configures it."""

    name: Name
    algorithm: Name
    secret: bytes = field(repr=False)
    warnings: tuple[str, ...] = ()

    def keyring(self) -> dict[Name, dns.tsig.Key]:
        """Return the key in the form in which dnspython takes it."""
        return {self.name: dns.tsig.Key(self.name, self.secret, self.algorithm)}


@dataclass(frozen=True, slots=True)
class _Token:
    line: int
    text: str
    is_mark: bool = False


def read_key_file(path: Path) -> TsigKey:
    """Return the first key in `path`: the one to use until the other end changes.

    Raises:
        KeyFileInvalid: as for `read_key_files`.
    """
    return read_keys(path)[0]


def read_keys(path: Path) -> tuple[TsigKey, ...]:
    """Return the key in `path`, or both of a rotation, in the order to try (S-81).

    Raises:
        KeyFileInvalid: unreadable, not of that form, a weak or unknown
            algorithm, a short secret, no key, or more than two.
    """
    try:
        open_to_all = path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH)
        with path.open("rb") as opened:
            raw = opened.read(MAX_FILE + 1)
        text = raw.decode("ascii")
    except OSError as exc:
        raise KeyFileInvalid(f"{path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise KeyFileInvalid(f"{path}: not ASCII text") from exc
    if len(raw) > MAX_FILE:
        raise KeyFileInvalid(f"{path}: longer than {MAX_FILE} octets")
    warning = f"{path}: everybody on this machine can read or change the key"
    return parse_keys(text, str(path), (warning,) if open_to_all else ())


def parse_key(text: str, where: str, warnings: tuple[str, ...] = ()) -> TsigKey:
    """Return the first key in `text`, which stands at `where`.

    Raises:
        KeyFileInvalid: as for `read_keys`.
    """
    return parse_keys(text, where, warnings)[0]


def parse_keys(
    text: str, where: str, warnings: tuple[str, ...] = ()
) -> tuple[TsigKey, ...]:
    """Return the key in `text`, or both of a rotation.

    Raises:
        KeyFileInvalid: as for `read_keys`.
    """
    parser = _Parser(where, list(_tokens(text, where)))
    keys = [_key(parser, warnings)]
    if parser.is_more():
        keys.append(_key(parser, warnings))
    parser.end()
    if len({key.name for key in keys}) < len(keys):
        raise KeyFileInvalid(f"{where}: both keys have the same name")
    return tuple(keys)


def _key(parser: _Parser, warnings: tuple[str, ...]) -> TsigKey:
    name, fields = parser.statement()
    return TsigKey(
        name,
        _algorithm(parser.where, *fields["algorithm"]),
        _secret(parser.where, *fields["secret"]),
        warnings,
    )


def _tokens(text: str, where: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise KeyFileInvalid(f"{where}:{line}: a quote without its other half")
        if found["mark"] is not None:
            yield _Token(line, found["mark"], is_mark=True)
        elif found["quoted"] is not None or found["word"] is not None:
            quoted = found["quoted"]
            yield _Token(line, found["word"] if quoted is None else quoted)
        line += found[0].count("\n")
        position = found.end()


class _Parser:
    """Reads `key NAME { FIELD VALUE; … };` from a list of tokens."""

    def __init__(self, where: str, tokens: list[_Token]) -> None:
        self.where = where
        self.tokens = tokens
        self.position = 0

    def refuse(self, line: int, why: str) -> KeyFileInvalid:
        return KeyFileInvalid(f"{self.where}:{line}: {why}")

    def take(self, what: str) -> _Token:
        if self.position >= len(self.tokens):
            last = self.tokens[-1].line if self.tokens else 1
            raise self.refuse(last, f"the file ends where {what} should stand")
        self.position += 1
        return self.tokens[self.position - 1]

    def mark(self, mark: str) -> None:
        token = self.take(f"'{mark}'")
        if not token.is_mark or token.text != mark:
            raise self.refuse(token.line, f"'{mark}' should stand here")

    def word(self, what: str) -> _Token:
        token = self.take(what)
        if token.is_mark:
            raise self.refuse(token.line, f"{what} should stand here")
        return token

    def statement(self) -> tuple[Name, dict[str, tuple[int, str]]]:
        start = self.word('the word "key"')
        if start.text != "key":
            raise self.refuse(start.line, 'the word "key" should stand here')
        named = self.word("the name of the key")
        try:
            name = parse_name(named.text)
        except InvalidName as exc:
            raise self.refuse(named.line, str(exc)) from exc
        self.mark("{")
        fields = self.fields()
        self.mark(";")
        for needed in ("algorithm", "secret"):
            if needed not in fields:
                raise self.refuse(start.line, f"the key has no {needed}")
        return name, fields

    def fields(self) -> dict[str, tuple[int, str]]:
        fields: dict[str, tuple[int, str]] = {}
        while True:
            token = self.take("'}'")
            if token.is_mark and token.text == "}":
                return fields
            if token.is_mark or token.text not in {"algorithm", "secret"}:
                raise self.refuse(token.line, "algorithm or secret should stand here")
            if token.text in fields:
                raise self.refuse(token.line, f"a second {token.text}")
            value = self.word(f"the value of {token.text}")
            self.mark(";")
            fields[token.text] = (value.line, value.text)

    def is_more(self) -> bool:
        return self.position < len(self.tokens)

    def end(self) -> None:
        if self.is_more():
            line = self.tokens[self.position].line
            raise self.refuse(line, "more than two keys, or something after them")


def _algorithm(where: str, line: int, text: str) -> Name:
    known = ALGORITHMS.get(text.lower().rstrip("."))
    if known is None:
        choices = ", ".join(ALGORITHMS)
        raise KeyFileInvalid(
            f"{where}:{line}: algorithm {text!r} is unknown or too weak;"
            f" use one of {choices}"
        )
    return known


def _secret(where: str, line: int, text: str) -> bytes:
    try:
        secret = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise KeyFileInvalid(f"{where}:{line}: the secret is not base64") from exc
    if len(secret) < MIN_SECRET:
        raise KeyFileInvalid(
            f"{where}:{line}: the secret has {len(secret)} octets,"
            f" at least {MIN_SECRET} are needed"
        )
    return secret
