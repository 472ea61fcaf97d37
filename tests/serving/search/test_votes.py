"""Tests of adding up votes."""

from collections import defaultdict

import numpy as np
import pytest

from serving.search.votes import OCTAVES, TURNS, Pairs, count_votes


def random_pairs(seed: int, *, pairs: int = 400, photos: int = 12, views: int = 3) -> Pairs:
    """Returns pairs of 100 features of each view with 20 features of each photo, no two of one weight."""
    generator = np.random.default_rng(seed)
    chosen = generator.integers(0, photos, pairs)
    view = generator.integers(0, views, pairs)
    return Pairs(
        features=view * 100 + generator.integers(0, 100, pairs),
        places=chosen * 20 + generator.integers(0, 20, pairs),
        photos=chosen,
        views=view,
        weights=generator.permutation(pairs).astype(np.float32) / pairs,
        turns=generator.uniform(-1, 1, pairs).astype(np.float32),
        octaves=generator.uniform(-2, 2, pairs).astype(np.float32),
    )


def plain_votes(pairs: Pairs) -> dict[int, tuple[float, int]]:
    """Returns the most votes of each photo, and the view they are by, with one step for each pair and bin."""
    bins: dict[tuple[int, int, int, int], float] = defaultdict(float)
    asked, given = set(), set()
    by_feature = []
    for pair in np.argsort(-pairs.weights):
        if (key := (pairs.features[pair], pairs.photos[pair])) not in asked:
            asked.add(key)
            by_feature.append(pair)
    for pair in by_feature:
        if (key := (pairs.places[pair], pairs.views[pair])) in given:
            continue
        given.add(key)
        turn = int(np.floor(pairs.turns[pair] * TURNS - 0.5))
        octave = int(np.floor(pairs.octaves[pair] + OCTAVES / 2 - 0.5))
        for one in (turn, turn + 1):
            for other in (octave, octave + 1):
                bins[pairs.photos[pair], pairs.views[pair], one % TURNS, other] += pairs.weights[pair]
    best: dict[int, tuple[float, int]] = {}
    for (photo, view, _, _), votes in bins.items():
        best[int(photo)] = max(best.get(int(photo), (0.0, 0)), (votes, int(view)))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_votes_are_those_of_a_plain_count(seed: int):
    """Each photo has the votes of its fullest bin in its best view, and photos come by their votes."""
    pairs = random_pairs(seed)
    expected = plain_votes(pairs)
    votes = count_votes(pairs, 100)
    assert votes.photos.tolist() == sorted(expected, key=lambda photo: -expected[photo][0])
    assert votes.votes == pytest.approx([expected[photo][0] for photo in votes.photos.tolist()])
    assert votes.views.tolist() == [expected[photo][1] for photo in votes.photos.tolist()]


def pairs_of(*rows: tuple[int, int, int, float, float]) -> Pairs:
    """Returns pairs of (feature, place, photo, turns, octaves), all of one view and of weight 1."""
    features, places, photos, turns, octaves = np.array(rows).T
    whole = (column.astype(np.int64) for column in (features, places, photos, np.zeros(len(rows))))
    return Pairs(*whole, np.ones(len(rows), np.float32), turns.astype(np.float32), octaves.astype(np.float32))


def test_votes_that_agree_on_rotation_and_scale_count_together():
    """Three votes for one rotation and scale outdo four that turn and scale a photo in four ways."""
    agreeing = [(number, number, 1, 0.1, 1.0) for number in range(3)]
    others = [(number + 10, number + 10, 2, number / 4, 3.0 * number) for number in range(4)]
    votes = count_votes(pairs_of(*agreeing, *others), 2)
    assert (votes.photos.tolist(), votes.votes.tolist()) == ([1, 2], [3.0, 1.0])


def test_a_full_turn_is_no_turn():
    """Rotations a little to either side of none share a bin."""
    assert count_votes(pairs_of((0, 0, 5, 0.99, 0), (1, 1, 5, -0.99, 0)), 1).votes.tolist() == [2.0]


def test_a_burst_counts_once():
    """Many features of a query near one of a photo, or one near many of a photo, are one vote."""
    many_to_one = [(number, 7, 1, 0, 0) for number in range(50)]
    one_to_many = [(60, 100 + number, 2, 0, 0) for number in range(50)]
    assert count_votes(pairs_of(*many_to_one, *one_to_many), 2).votes.tolist() == [1.0, 1.0]


def test_no_pair_is_no_vote():
    """A query that is near to nothing gets no photo."""
    assert len(count_votes(random_pairs(0, pairs=0), 5).photos) == 0
