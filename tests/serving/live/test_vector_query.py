"""Embeddings are looked up where there is no photo: what is near is similar, and nothing more is claimed."""

import numpy as np
import pytest

from foundation.errors import UsageError
from serving.live.live_searcher import LiveSearcher
from serving.live.observer import Unobserved
from serving.live.vector_query import VectorQuery
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from tests.builders import encoder_spec
from tests.serving.live.conftest import SELDOM, TwoIndexes, from_bytes


def test_an_embedding_finds_what_is_near(two: TwoIndexes):
    """Of any length, whatever else is in the batch; every match is `similar`, ranked by its cosine."""
    with LiveSearcher.open(two.store, SELDOM) as live, live.hold() as held:
        content = held.opened.sample(1, np.random.default_rng(0))
        vector = held.opened.vectors(held.opened.places(content)[0])[0]
        options = MatchOptions(top_k=3)
        asked = [
            held.submit(one, options)
            for one in (VectorQuery("near", np.float32(1e37) * vector), from_bytes(two.photos[0]))
        ]
        found = held.answers(asked[0].result(), options)
        assert asked[1].result().matches[0].verdict.name == "identical"
        strict = held.submit(VectorQuery("far", -vector), MatchOptions(min_score=0.999)).result()
    assert [(one.query, one.status, one.verdict, one.rank) for one in found] == [
        ("near", "matched", "similar", rank) for rank in (1, 2, 3)
    ]
    assert found[0].similarity == pytest.approx(1, abs=1e-5)
    assert found[0].similarity >= found[1].similarity >= found[2].similarity
    assert (strict.status, strict.reason) == ("no_match", "no photo scores 0.999 or more")


@pytest.mark.parametrize(
    ("vector", "why"),
    [
        ([1.0, 2.0], r"shape \[2\]; expected \[4\]"),
        ([[1.0, 2.0, 3.0, 4.0]], r"shape \[1, 4\]"),
        ([1.0, 2.0, 3.0, float("nan")], "not finite"),
        ([1.0, 2.0, 3.0, 1e300], "not finite"),
        ([0.0] * 4, "all zero"),
        (["a", "b", "c", "d"], "no list of numbers"),
        (None, "shape"),
    ],
)
def test_what_is_no_vector_of_the_encoder_is_refused(vector: list, why: str):
    """The error says what is wrong with it."""
    with pytest.raises(UsageError, match=why):
        VectorQuery("query", vector).checked(encoder_spec())


def test_large_numbers_have_directions_and_no_distances():
    """Cosines of them are right, and distances would be infinite."""
    large = VectorQuery("query", np.full(4, 1e30))
    np.testing.assert_allclose(large.checked(encoder_spec()), np.full(4, 0.5), rtol=1e-6)
    with pytest.raises(UsageError, match="distances are infinite"):
        large.checked(encoder_spec(distance="euclidean"))


class Counting(Unobserved):
    """Remembers what queries came to."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def outcome(self, outcome: Outcome) -> None:
        """Remembers one."""
        self.outcomes.append(outcome)


def test_a_wrong_vector_is_rejected_and_counted_and_holds_no_place(two: TwoIndexes):
    """As a photo is that cannot be read; also where it had to wait for its turn."""
    counting = Counting()
    vectors = [np.zeros(1), np.full(16, np.nan), [1e300] * 16]
    with LiveSearcher.open(two.store, SELDOM, observe=counting) as live, live.hold() as held:
        for submit in (held.submit, held.submit_in_turn):
            found = [submit(VectorQuery("wrong", one), MatchOptions()).result(10) for one in vectors]
            assert {(one.query, one.status) for one in found} == {("wrong", "rejected")}
            assert found[0].reason.startswith("wrong_embedding: the embedding of wrong has the shape [1]; expected")
        assert live.state().queue_queries == 0
    assert [one.status for one in counting.outcomes] == ["rejected"] * 6


def test_vectors_of_euclidean_encoders_keep_their_length():
    """Their distance is what counts, also of zeros."""
    spec = encoder_spec(distance="euclidean")
    np.testing.assert_array_equal(VectorQuery("query", np.array([3, 0, 0, 0])).checked(spec), [3, 0, 0, 0])
    np.testing.assert_array_equal(VectorQuery("query", np.zeros(4)).checked(spec), np.zeros(4))
