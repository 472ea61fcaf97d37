"""Every kind of edit can be drawn by its seed, and the right verdict is known before it is drawn."""

import numpy as np
import pytest

from evaluation.copies import edits
from evaluation.copies.plan import MADE_BY_OTHERS, UNEDITED, seed_of
from tests.photos import scene
from training.edits import kinds

OTHERS = [scene(number) for number in range(8)]


@pytest.mark.parametrize("kind", sorted(edits.CHAINS))
def test_the_verdict_of_a_chain_is_that_of_what_was_drawn(kind: str):
    """Other photos than the stand-in draw the same kinds, or the expected verdict would be of another chain."""
    for number in range(20):
        seed = seed_of(number)
        names, _ = kinds.draw_chain(np.random.default_rng(seed), OTHERS, length=edits.CHAINS[kind])
        assert edits.verdict_for(kind, seed) == kinds.verdict_of(names)


@pytest.mark.parametrize("kind", ["rotated_and_cropped", "collage_of_two", "chain_of_3"])
def test_a_seed_draws_one_edit(kind: str):
    """The same seed edits a photo the same way twice, another one differently."""
    made = [edits.draw_edit(kind, seed_of(seed), OTHERS)(scene(50)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_every_kind_has_a_verdict_and_a_part():
    """Nothing that can be drawn is left out of the report."""
    verdicts = edits.right_verdicts()
    assert set(verdicts) == {*kinds.KINDS, *edits.CHAINS}
    assert verdicts["mirrored"](seed_of(0)) == "mirrored"
    assert {edits.part_of(kind) for kind in (*verdicts, MADE_BY_OTHERS, UNEDITED)} == set(edits.PARTS)
