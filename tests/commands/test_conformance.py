"""`manage.py conformance`: serve, try, score, and let others be tried."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from django.core.management import CommandError, call_command

from bootstrap.lab.adapters import read_answer
from bootstrap.lab.kit import ACCEPT, REFUSE

FEW = ("F1", "F48", "F96", "F93", "R-hold")
BOLD = """\
    import os, sys
    print("accept")
    sys.stderr.write("not asked")
"""
TIMID = "print('refuse')"
PARROT = """\
    import json, sys
    case = json.load(sys.stdin)
    print(case["expected"]["answer"])
    print("\\n".join(case["expected"]["ds"]))
"""
TELLER = """\
    import os, sys
    names = ("KIT_CHILD", "KIT_NS", "KIT_TIME", "KIT_PORT", "KIT_ROOT_HINTS")
    assert all(os.environ[name] for name in names) and sys.argv[1]
    print("refuse")
"""
BROKEN = "raise SystemExit('no idea')"


def run(*arguments):
    """Return what the command prints, and the code that it ends with."""
    out = io.StringIO()
    try:
        call_command("conformance", *arguments, "--prefix", "127.67", stdout=out)
    except SystemExit as ended:
        return out.getvalue(), ended.code
    return out.getvalue(), 0


def adapter(tmp_path, text):
    path = tmp_path / "adapter.py"
    path.write_text(textwrap.dedent(text))
    return f"{sys.executable} {path}"


def lines(printed):
    return {line["id"]: line for line in map(json.loads, printed.splitlines())}


def test_our_engine_passes_and_the_score_says_so():
    printed, code = run("--only", *FEW)

    assert code == 0
    assert f"{len(FEW)} of {len(FEW)} cases passed" in printed


def test_the_time_of_the_hierarchy_may_be_set_to_any_year():
    for time in ("2001-02-03T04:05:06", "2044-01-01T00:00:00+00:00"):
        printed, code = run("--only", "F1", "F46", "F47", "--time", time)
        assert code == 0, printed


def test_each_case_is_a_line_of_json_with_its_clause():
    printed, code = run("--only", *FEW, "--json")

    found = lines(printed)
    assert code == 0
    assert set(found) == set(FEW)
    assert found["F48"]["expected"]["answer"] == REFUSE
    assert found["F1"]["reference"] == "RFC 9615, 4.2"
    assert len(found["F1"]["seen"]["ds"]) == 1


@pytest.mark.parametrize(
    ("engine", "passing"),
    [
        (BOLD, {"F96"}),  # a removal has no DS to name
        (TIMID, {"F48", "R-hold"}),
        (TELLER, {"F48", "R-hold"}),
        (PARROT, set(FEW)),
        (BROKEN, set()),
    ],
    ids=["bold", "timid", "teller", "parrot", "broken"],
)
def test_an_engine_behind_an_adapter_is_scored(tmp_path, engine, passing):
    program = adapter(tmp_path, engine)

    printed, code = run("--only", *FEW, "--json", "--adapter", program)

    assert {i for i, line in lines(printed).items() if line["passed"]} == passing
    assert code == (0 if passing == set(FEW) else 1)


def test_what_failed_is_told_with_what_was_expected(tmp_path):
    printed, code = run("--only", "F48", "--adapter", adapter(tmp_path, BOLD))

    assert code == 1
    assert "F48: must refuse, said accept" in printed
    assert "0 of 1 cases passed" in printed


@pytest.mark.parametrize(
    ("printed", "answer", "ds"),
    [
        ("accept\n1 13 2 AB12\n", ACCEPT, ("1 13 2 AB12",)),
        ("ACCEPT\n\n 2 13 2 ab12 \n1 8 2 AB12", ACCEPT, ("1 8 2 AB12", "2 13 2 AB12")),
        ("refuse\n", REFUSE, ()),
    ],
)
def test_an_answer_is_a_word_and_records(printed, answer, ds):
    padded = printed.replace("AB12", "AB12" * 16).replace("ab12", "ab12" * 16)

    found = read_answer(padded)

    assert (found.answer, found.trouble) == (answer, "")
    assert found.ds == tuple(text.replace("AB12", "AB12" * 16) for text in ds)


@pytest.mark.parametrize("printed", ["", "perhaps\n", "accept\nno record\n"])
def test_anything_else_is_no_answer(printed):
    assert read_answer(printed).trouble


def test_cases_that_the_dns_alone_does_not_tell_may_be_left_out():
    printed, code = run("--only", "F1", "R-hold", "--dns-only", "--json")

    assert (list(lines(printed)), code) == (["F1"], 0)


def test_an_unknown_case_is_wrong_usage():
    with pytest.raises(CommandError, match="no such case: F999"):
        call_command("conformance", "--only", "F999")


def test_serving_leaves_hints_anchor_and_cases_until_it_is_ended(tmp_path):
    command = [
        sys.executable,
        "manage.py",
        "conformance",
        "--serve",
        "--prefix",
        "127.68",
        "--folder",
        str(tmp_path / "kit"),
        "--only",
        "F1",
        "R-hold",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "80"}
    )
    assert process.stdout is not None
    try:
        told = [process.stdout.readline() for _ in range(5)]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    kit = json.loads((tmp_path / "kit" / "cases.json").read_text())
    assert told[-1] == "Interrupt to end.\n"
    assert process.returncode == 0
    assert (tmp_path / "kit" / "root.hints").read_text().startswith(". 3600000 NS")
    good, held = kit["cases"]
    assert (kit["version"], kit["port"] > 0) == (1, True)
    assert good["child"] == "f1.alpha.test"
    assert good["expected"]["answer"] == ACCEPT
    assert len(good["delegation"]["ns"]) == 2
    assert held["needs"] == {"registry": {"statuses": ["serverHold"]}}
