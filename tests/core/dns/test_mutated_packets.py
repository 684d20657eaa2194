"""Mutated packets by the ten thousand: the guard and the parser agree (S-16)."""

from __future__ import annotations

import random

import pytest

from fuzz.targets import CORPUS, message

SEEDS = [path.read_bytes() for path in sorted((CORPUS / "message").iterdir())]


def mutated(dice: random.Random, packet: bytes) -> bytes:
    octets = bytearray(packet)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(octets) or 1)
        match dice.randrange(4):
            case 0:
                octets[at : at + 1] = dice.randbytes(1)
            case 1:
                octets[at:at] = dice.randbytes(dice.randint(1, 3))
            case 2:
                del octets[at : at + dice.randint(1, 8)]
            case _:
                other = dice.choice(SEEDS)
                octets[at:] = other[at:]
    return bytes(octets)


@pytest.mark.slow
def test_s_16_mutated_messages_raise_nothing_but_refusals(long_trials):
    dice = random.Random(16)  # noqa: S311 - the same packets each time

    for _ in range(2_000_000 if long_trials else 50_000):
        message(mutated(dice, dice.choice(SEEDS)))
