"""Which logs, witnesses and quorum are trusted: C2SP tlog-policy, read and asked (S-92)."""

from __future__ import annotations

import pytest

from bootstrap.core.tlog import notes
from bootstrap.core.tlog.notes import VerifierKey
from bootstrap.core.tlog.policy import Policy, PolicyWrong, read

LOG = VerifierKey("log.example/audit", notes.ED25519, bytes(range(32)))
KEYS = {
    name: VerifierKey(f"{name}.example", notes.COSIGNATURE, bytes([place]) * 32)
    for place, name in enumerate(("one", "two", "three"), start=1)
}
WITNESSES = "".join(
    f"witness {name} {key.to_text()} https://{name}.example/\n"
    for name, key in KEYS.items()
)
WHOLE = f"""# whom we trust
log {LOG.to_text()} https://log.example/
{WITNESSES}
group inner any one two   # either will do
group outer all inner three
quorum outer
"""


def test_a_policy_says_which_logs_and_witnesses_there_are():
    policy = read(WHOLE)

    assert policy.logs == (LOG,)
    assert {name: w.key for name, w in policy.witnesses.items()} == KEYS
    assert policy.witnesses["two"].url == "https://two.example/"
    assert policy.quorum == "outer"


@pytest.mark.parametrize(
    ("signed", "enough"),
    [
        ({"one", "three"}, True),
        ({"two", "three"}, True),
        ({"one", "two", "three"}, True),
        ({"one", "two"}, False),
        ({"three"}, False),
        (set(), False),
        ({"stranger", "three"}, False),
    ],
)
def test_a_quorum_of_groups_is_met_by_their_members(signed, enough):
    assert read(WHOLE).met(signed) is enough


@pytest.mark.parametrize(("number", "enough"), [(1, True), (2, True), (3, False)])
def test_a_group_may_ask_for_a_number(number, enough):
    text = f"{WITNESSES}group g {number} one two three\nquorum g\n"

    assert read(text).met({"one", "three"}) is enough


def test_one_witness_can_be_the_quorum():
    policy = read(f"{WITNESSES}quorum two\n")

    assert policy.met({"two"})
    assert not policy.met({"one"})


def test_without_a_quorum_nobody_needs_to_sign():
    assert read("quorum none\n").met(())
    assert Policy().met(())


REFUSED = {
    "nothing": ("", "names no quorum"),
    "an unknown word": ("trust one\n", "line 1: unknown word 'trust'"),
    "a key that is none": ("log abc\nquorum none\n", "line 1"),
    "a log without a key": ("log\nquorum none\n", "line 1"),
    "a witness without a key": ("\nwitness one\n", "line 2"),
    "a witness named none": (WITNESSES.replace("one", "none", 1), "none is taken"),
    "a witness twice": (WITNESSES + WITNESSES, "line 4: one is taken"),
    "a group with a witness's name": (
        f"{WITNESSES}group one any two\n",
        "line 4: one is taken",
    ),
    "a group twice": (
        f"{WITNESSES}group g any one\ngroup g any two\n",
        "line 5: g is taken",
    ),
    "a member that comes later": ("group g any one\n", "one is not declared above"),
    "a quorum that nobody is": ("quorum one\n", "one is not declared above"),
    "two quorums": ("quorum none\nquorum none\n", "line 2: there is a quorum"),
    "a quorum of two words": ("quorum a b\n", "line 1"),
    "more members than there are": (
        f"{WITNESSES}group g 2 one\n",
        "asks for more members",
    ),
    "no member at all": (f"{WITNESSES}group g 0 one\n", "asks for more members"),
    "a member twice": (f"{WITNESSES}group g any one one\n", "names one twice"),
    "a threshold that is no number": (f"{WITNESSES}group g most one\n", "line 4"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_a_policy_is_refused_with(text, why):
    with pytest.raises(PolicyWrong, match=why):
        read(text)
