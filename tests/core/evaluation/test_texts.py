"""Every reason has words for everybody, and a place in the reports."""

from __future__ import annotations

import re

import pytest

from bootstrap.core.evaluation.ede import EXACT, FAMILIES, ede_of
from bootstrap.core.evaluation.reasons import (
    MEANINGS,
    PRECEDENCE,
    Kind,
    Reason,
    precedence,
)
from bootstrap.core.evaluation.texts import MAX_TITLE, TEXTS, Act

SENTENCE_END = re.compile(r"[.!?](?: |$)")
PLACEHOLDERS = {"child", "nameserver", "ds"}


def sentences(text):
    return len(SENTENCE_END.findall(text))


def test_catalogue_meanings_and_texts_cover_the_same_reasons():  # P-2.53
    assert set(MEANINGS) == set(Reason) == set(TEXTS)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_speaks_to_everybody_in_the_length_that_was_agreed(reason):
    text = TEXTS[reason]

    assert 0 < len(text.title) <= MAX_TITLE
    assert not text.title.endswith(".")
    assert sentences(text.staff) == 1
    assert 2 <= sentences(text.owners) <= 3
    assert text.clause


@pytest.mark.parametrize("reason", Reason)
def test_a_recipe_knows_only_the_values_of_a_case(reason):
    recipe = TEXTS[reason].recipe

    assert set(re.findall(r"{(\w+)}", recipe)) <= PLACEHOLDERS
    assert recipe.count("{") == len(re.findall(r"{\w+}", recipe))


def test_titles_tell_reasons_apart():
    titles = [text.title for text in TEXTS.values()]

    assert len(set(titles)) == len(titles)


def test_own_faults_never_ask_anybody_else_to_act():
    for reason, meaning in MEANINGS.items():
        if meaning.kind is Kind.OURS:
            assert TEXTS[reason].act is Act.REGISTRY


def test_owners_are_never_told_to_act_where_nobody_must():
    silent = {reason for reason, text in TEXTS.items() if text.act is Act.NOBODY}

    assert {MEANINGS[reason].kind for reason in silent} <= {Kind.INFO, Kind.RETRY}


EDE = {
    Reason.SIG_BOGUS: 6,
    Reason.NS_LAME_REFERRAL: 20,
    Reason.NS_MALFORMED: 24,
    Reason.APEX_PARTIAL: 24,
    Reason.APEX_INCOMPLETE: 22,
    Reason.CDS_TOO_MANY: 24,
    Reason.CDS_NO_ELIGIBLE_DIGEST: 2,
    Reason.PRE_OPTED_OUT: 18,
    Reason.PRE_RATE_LIMITED: 15,
    Reason.POL_ALG_FORBIDDEN: 28,
    Reason.SIG_PARTIAL: 0,
    Reason.SIG_NAME_TOO_LONG: 0,
}


@pytest.mark.parametrize(("reason", "code"), EDE.items(), ids=EDE)
def test_appendix_d_gives_the_code_of_a_report(reason, code):
    assert ede_of(reason) == code


def test_every_family_of_report_codes_is_needed():
    others = [reason for reason in Reason if reason not in EXACT]

    for prefix, _code in FAMILIES:
        assert any(reason.startswith(prefix) for reason in others), prefix


def test_precedence_covers_every_class_that_a_reason_can_count_as():
    kinds = {
        (kind, kind is Kind.CHILD and meaning.structural)
        for meaning in MEANINGS.values()
        for kind in (meaning.kind, meaning.then)
        if kind is not None
    }

    assert kinds == set(PRECEDENCE)


def test_structural_codes_of_the_child_come_before_retries_and_others_after():
    ranked = sorted(
        [
            (Reason.NS_OK_DATA, Kind.INFO),
            (Reason.SIG_INSECURE, Kind.CHILD),
            (Reason.NS_TIMEOUT, Kind.RETRY),
            (Reason.SIG_NAME_TOO_LONG, Kind.CHILD),
            (Reason.PRE_OPTED_OUT, Kind.POLICY),
            (Reason.SIG_SIGNER_ABOVE_CUT, Kind.ALARM),
            (Reason.X_DB, Kind.OURS),
        ],
        key=lambda pair: precedence(*pair),
    )

    assert [kind.value for _, kind in ranked] == list("XAPCRCI")
    assert ranked[3][0] is Reason.SIG_NAME_TOO_LONG
