"""Two languages from the start; another is a file more."""

from __future__ import annotations

import gettext
import io
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import translation

from bootstrap.core.evaluation.reasons import Reason
from bootstrap.core.evaluation.texts import TEXTS
from bootstrap.models import Domain, DomainState
from portal import words
from portal.status import presenters
from tests.support import rows

from .conftest import enter

ROOT = Path(__file__).resolve().parents[2]
GERMAN = {"Accept-Language": "de"}


def test_every_catalogue_is_complete_and_compiled():
    done = subprocess.run(
        [sys.executable, "tools/catalogue.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_compiled_catalogue_is_what_gettext_reads():
    binary = (ROOT / "locale/de/LC_MESSAGES/django.mo").read_bytes()
    german = gettext.GNUTranslations(io.BytesIO(binary))

    assert german.gettext("signed, not announced") == "signiert, nicht angemeldet"
    assert german.ngettext("%(number)s record", "%(number)s records", 2) == (
        "%(number)s Einträge"
    )


@pytest.mark.parametrize("reason", [reason.value for reason in Reason])
def test_every_reason_speaks_german(reason):
    english = TEXTS[Reason(reason)]
    with translation.override("de"):
        german = words.reason(reason)

    assert german.title != english.title
    assert german.owner != english.owners
    assert german.who != words.ACTS[english.act]


@pytest.mark.parametrize("state", [s.value for s in DomainState])
def test_a_name_is_told_in_german_without_an_english_sentence(state, client, registry):
    domain = Domain.objects.filter(state=state).exclude(name=rows.HOSTILE_NAME)[0]

    page = client.get(f"/status/{domain.name}", headers=GERMAN)

    assert '<html lang="de"' in page.text
    assert page["Content-Language"] == "de"
    assert not any(s.sentence in page.text for s in presenters.STANDINGS.values())
    for text in TEXTS.values():
        assert text.owners not in page.text
    with translation.override("de"):
        standing = presenters.STANDINGS[presenters.public_state(domain)]
        assert translation.gettext(standing.sentence) in page.text


def test_a_language_is_chosen_and_remembered_without_any_script(client, db):
    answer = client.post("/language/", {"language": "de", "next": "/status/"})

    assert answer["Location"] == "/status/"
    assert "Wie steht es um einen Namen?" in client.get("/status/").text
    client.post("/language/", {"language": "en", "next": "/status/"})
    assert "Where does a name stand?" in client.get("/status/", headers=GERMAN).text


def test_a_language_that_we_do_not_speak_changes_nothing(client, db):
    client.post("/language/", {"language": "tlh", "next": "/status/"})

    assert "Where does a name stand?" in client.get("/status/").text


def test_choosing_a_language_never_leads_elsewhere(client, db):
    answer = client.post("/language/", {"language": "de", "next": "//evil.example/"})

    assert answer["Location"] == "/"


def test_caches_keep_languages_apart(client, registry):
    for url in ("/status/lonely.example", "/status/lonely.example/badge.svg"):
        assert "accept-language" in client.get(url)["Vary"].lower()


def test_pages_of_staff_speak_one_language_as_a_whole(registry):
    page = enter(rows.a_reader()).get("/", headers=GERMAN)

    assert '<html lang="en"' in page.text
    assert "Overview" in page.text


def test_signing_in_speaks_german(client, db):
    page = client.get("/accounts/login/", headers=GERMAN)

    assert '<html lang="de"' in page.text
    assert "Passwort" in page.text
