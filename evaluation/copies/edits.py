"""Draws the edits of an evaluation by kind, chains among them, and knows which verdict is right for each."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from evaluation.copies.plan import MADE_BY_OTHERS, UNEDITED, Verdict
from training.edits.kinds import COMMON, KINDS, Edit, draw, draw_chain, verdict_of

EVERYDAY, HARD, CHAINED, MADE = "everyday", "hard", "chains", "made by others"
# The parts of the report, in their order.
PARTS = (EVERYDAY, HARD, CHAINED, MADE, UNEDITED)
CHAINS = {f"chain_of_{length}": length for length in range(2, 6)}
# What a chain is made of is drawn before any other photo is looked at: this one stands for all of them.
STAND_IN = np.zeros((64, 64, 3), np.uint8)


def draw_edit(kind: str, seed: int, others: Sequence[np.ndarray]) -> Edit:
    """Returns the edit of that kind which the seed draws; `others` are other photos, uint8 [height, width, 3]."""
    generator = np.random.default_rng(seed)
    if kind in CHAINS:
        return draw_chain(generator, others, length=CHAINS[kind])[1]
    return draw(kind, generator, others)


def right_verdicts() -> dict[str, Verdict]:
    """Returns, by kind, the function from the seed of an edit to the verdict that is right for it."""
    return {kind: partial(verdict_for, kind) for kind in (*KINDS, *CHAINS)}


def verdict_for(kind: str, seed: int) -> str:
    """Returns the verdict that is right for the edit of that kind which the seed draws."""
    if kind in CHAINS:
        names, _ = draw_chain(np.random.default_rng(seed), [STAND_IN], length=CHAINS[kind])
        return verdict_of(names)
    return KINDS[kind].verdict


def part_of(kind: str) -> str:
    """Returns which part of the report a kind belongs to, one of `PARTS`."""
    if kind == UNEDITED:
        return UNEDITED
    if kind == MADE_BY_OTHERS:
        return MADE
    if kind in CHAINS:
        return CHAINED
    return EVERYDAY if kind in COMMON else HARD
