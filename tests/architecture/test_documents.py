"""What is written down stays true: requirements, locks, settings, words."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    p for folder in ("bootstrap", "portal") for p in (ROOT / folder).rglob("*.py")
]
OURS = [p for p in SOURCES if "migrations" not in p.parts]


def test_every_cited_requirement_exists_and_the_table_is_up_to_date():
    done = subprocess.run(
        [sys.executable, "tools/requirements.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_module_is_listed_in_its_words_and_every_folder_is_on_the_map():
    done = subprocess.run(
        [sys.executable, "tools/modules.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_name_no_host_and_no_local_path(name):  # S-118
    text = (ROOT / name).read_text()
    assert not re.search(r"https?:|file:|--(?:extra-)?index|--find-links", text)


def test_no_state_of_a_proposal_is_written_outside_its_table():
    written = re.compile(r"\.state\s*=[^=]|\.update\([^)]*\bstate=")
    offenders = [
        str(path.relative_to(ROOT))
        for path in OURS
        if path.name != "lifecycle.py"
        and "proposal" in path.read_text().lower()
        and written.search(path.read_text())
    ]
    assert offenders == []


FORBIDDEN = re.compile(
    r"^\s*(?:async )?def (?:process|handle|manage|do|run_check)(?:_|\b)|"
    r"^class \w*(?:Manager|Helper|Util)\b",
    re.MULTILINE,
)


def test_no_forbidden_word_names_a_function_or_class():
    allowed = re.compile(r"def handle\(self, \*(?:args|_args)|def handle\(")
    offenders = {}
    for path in OURS:
        hits = [
            hit
            for hit in FORBIDDEN.findall(path.read_text())
            if not allowed.search(hit + "(")
        ]
        if hits:
            offenders[str(path.relative_to(ROOT))] = hits
    assert offenders == {}


def test_files_stay_small():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in OURS
        if (lines := path.read_text().count("\n")) > 400 and path.name != "texts.py"
    }
    assert long == {}


def test_templates_never_switch_escaping_off():
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(r"\|\s*safe\b|autoescape off", path.read_text())
    ]
    assert offenders == []


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Return every long option of a command and of its verbs."""
    found: set[str] = set()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                found |= options_of(verb)
    return found


GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs" / "runbooks").glob("*.md"))]
COMMAND = re.compile(r"manage\.py ([a-z_]{4,})([^`\n]*)")


@pytest.mark.parametrize("path", GUIDES, ids=str)
def test_a_guide_names_commands_and_options_that_exist_and_pages_that_are_there(path):
    text, known = path.read_text(), get_commands()
    wrong = []
    for name, rest in COMMAND.findall(text):
        if name not in known:
            wrong.append(name)
            continue
        command = load_command_class(known[name], name)
        options = options_of(command.create_parser("manage.py", name))
        wrong += [
            f"{name} {o}" for o in re.findall(r"--[a-z-]+", rest) if o not in options
        ]
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    wrong += [link for link in links if not (path.parent / link).exists()]

    assert wrong == []


def test_every_runbook_is_in_the_list_of_runbooks():
    folder = ROOT / "docs" / "runbooks"
    listed = set(re.findall(r"\]\((.+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {p.name for p in folder.glob("*.md")} - {"README.md"}


def test_the_readme_names_every_setting():
    read = re.compile(
        r"(?:env\.\w+|flag|choice|endpoint|roles_by_group)\(\s*\"([A-Z][A-Z_0-9]+)\""
    )
    names = {
        name
        for path in (ROOT / "portal").glob("*.py")
        for name in read.findall(path.read_text())
        if name != "NAME"
    }
    listed = set(
        re.findall(
            r"^\| `([A-Z_0-9]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE
        )
    )
    assert names - listed == set()
    assert listed - names == set()
