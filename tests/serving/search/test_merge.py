"""Merging what segments found: distinct contents, best first, against a plain loop."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.search.merge import Nearest, merge


def found_by(*hits: tuple[str, float]) -> Nearest:
    """What one segment found for one query."""
    similarities = np.array([[similarity for _, similarity in hits]], np.float32)
    return Nearest(similarities, np.array([[name.encode() for name, _ in hits]], "S32"))


def hits_of(nearest: Nearest) -> list[tuple[str, float]]:
    """The distinct contents of the first query, best first."""
    pairs = zip(nearest.contents[0].tolist(), nearest.similarities[0].tolist(), strict=True)
    return [(name.decode(), similarity) for name, similarity in pairs if similarity > -np.inf]


def test_a_content_with_two_similarities_counts_once_with_its_best():
    """Its worse similarity neither takes a place nor puts it behind what is less near."""
    found = found_by(("A", 0.875), ("A", 0.75), ("B", 0.8125))
    assert hits_of(merge([found], 3)) == [("A", 0.875), ("B", 0.8125)]
    assert hits_of(merge([found], 1)) == [("A", 0.875)]


def test_a_content_of_several_segments_counts_once():
    """Segments overlap where an archive was encoded twice."""
    first, second = found_by(("A", 0.5), ("B", 0.25)), found_by(("C", 0.75), ("A", 0.5))
    assert hits_of(merge([first, second], 10)) == [("C", 0.75), ("A", 0.5), ("B", 0.25)]


def test_equally_near_contents_come_in_the_order_of_their_hash():
    """The order of the segments decides nothing."""
    first, second = found_by(("B", 0.5)), found_by(("A", 0.5))
    assert hits_of(merge([first, second], 2)) == hits_of(merge([second, first], 2)) == [("A", 0.5), ("B", 0.5)]


def test_what_is_missing_hides_nothing():
    """A missing neighbour bears the content of some row, and must not stand for it."""
    found = found_by(("A", -np.inf), ("A", 0.5), ("B", -np.inf))
    assert hits_of(merge([found], 3)) == [("A", 0.5)]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("ABCDEF"), st.integers(-4, 4)), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 8),
)
def test_merging_equals_a_plain_loop(segments: list[list[tuple[str, int]]], k: int):
    """The best similarity of each content, sorted by it and then by the hash, cut off at k."""
    best: dict[str, float] = {}
    for name, similarity in (hit for hits in segments for hit in hits):
        best[name] = max(best.get(name, -np.inf), similarity)
    expected = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:k]
    assert hits_of(merge([found_by(*hits) for hits in segments], k)) == expected
