"""The plan of a compaction: what is merged, what stays, and how few segments are left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.compact.plan import SMALLEST_TIER, TIER_SEGMENTS, Merge, SegmentSize, plan_all, plan_due

MILLION = 1_000_000


def sized(*rows: int, **fields) -> list[SegmentSize]:
    """Returns segments of so many contents, named a, b, c …"""
    return [SegmentSize(segment_id=chr(97 + number), rows=count, **fields) for number, count in enumerate(rows)]


def named(merges: list[Merge]) -> list[str]:
    """Returns the merges as the names of their segments."""
    return ["".join(merge) for merge in merges]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([5_000] * 3, []),
        ([5_000] * 4, ["abcd"]),
        # Sizes of one tier: a factor of 4 between the smallest and the largest.
        ([4_096, 16_383, 5_000, 9_000], ["abcd"]),
        ([4_095, 16_383, 5_000, 9_000], []),
        # All small ones share a tier.
        ([1, 10, 100, 1_000], ["abcd"]),
        ([1, 10, 100, 1_024], []),
        # A backlog is merged at once, and not four at a time.
        ([5_000] * 7, ["abcdefg"]),
        # A large one in between stays where it is.
        ([5_000, 900_000, 5_000, 5_000, 5_000], ["acde"]),
        # What a merge makes is the fourth of the next tier.
        ([20_000, 20_000, 20_000, 5_000, 5_000, 5_000, 5_000], ["abcdefg"]),
        # None gets larger than is allowed, and full ones are left alone.
        ([300_000] * 4, ["abc"]),
        ([600_000] * 4, []),
        ([400_000] * 5, ["ab", "cd"]),
    ],
)
def test_segments_of_one_tier_merge_when_there_are_four(rows: list[int], expected: list[str]):
    """Tiers are powers of four, from a smallest one on."""
    assert named(plan_due(sized(*rows), max_rows=MILLION)) == expected


def test_a_segment_of_changes_counts_by_its_changes():
    """Four nights of corrected captions are one tier, which their contents, none, would not say."""
    changes = [SegmentSize(segment_id=name, rows=0, changes=5_000) for name in "abcd"]
    assert named(plan_due(changes, max_rows=MILLION)) == ["abcd"]
    changes[0] = SegmentSize(segment_id="a", rows=0, changes=100)
    assert plan_due(changes, max_rows=MILLION) == []


@pytest.mark.parametrize(("dead", "expected"), [(2_000, []), (2_001, ["a"]), (10_000, ["a"])])
def test_a_segment_with_too_much_that_is_dead_is_written_again(dead: int, expected: list[str]):
    """More than a fifth of its contents."""
    assert named(plan_due(sized(10_000, dead=dead), max_rows=MILLION)) == expected


def test_a_segment_counts_by_what_is_left_of_it():
    """One that is nearly dead merges with small ones, and a full one that lost most is no longer full."""
    small = sized(2_000, 2_000, 2_000)
    large = SegmentSize(segment_id="x", rows=900_000, dead=898_000)
    assert named(plan_due([large, *small], max_rows=MILLION)) == ["xabc"]


def test_segments_with_local_features_and_without_stay_apart():
    """In a mixed one, encode would take each photo for one without, and encode it again."""
    mixed = [SegmentSize(segment_id=name, rows=5_000, has_all_features=name in "aceg") for name in "abcdefgh"]
    assert named(plan_due(mixed, max_rows=MILLION)) == ["aceg", "bdfh"]
    changes = SegmentSize(segment_id="x", rows=0, changes=9)
    assert named(plan_all([changes, *mixed], max_rows=MILLION)) == ["xaceg", "bdfh"]


@pytest.mark.parametrize(
    ("rows", "dead", "expected"),
    [
        ([10], 0, []),
        ([10], 1, ["a"]),
        ([10, 900_000], 0, ["ab"]),
        ([600_000] * 4, 0, ["abcd"]),
        ([MILLION] * 2, 0, []),
        ([MILLION] * 2, 1, ["ab"]),
        ([2 * MILLION], 0, []),
        ([10], 10, ["a"]),
    ],
)
def test_all_makes_as_few_as_can_be(rows: list[int], dead: int, expected: list[str]):
    """Whatever the sizes; where nothing would be gained, nothing is written."""
    assert named(plan_all(sized(*rows, dead=dead), max_rows=MILLION)) == expected


sizes = st.builds(
    lambda rows, changes, dead, has_all_features: (rows, changes, min(rows, dead), has_all_features),
    st.integers(0, 5_000) | st.integers(0, MILLION),
    st.integers(0, 3_000),
    st.integers(0, 2_000),
    st.booleans(),
)


@given(st.lists(sizes, max_size=40))
def test_a_compaction_leaves_few_segments_and_nothing_twice(found: list[tuple[int, int, int, bool]]):
    """Each is merged at most once, in order; no merge is too large; less than two tiers' worth of each size is left."""
    segments = [
        SegmentSize(segment_id=str(number), rows=rows, changes=changes, dead=dead, has_all_features=features)
        for number, (rows, changes, dead, features) in enumerate(found)
    ]
    merges = plan_due(segments, max_rows=MILLION)
    by_id = {one.segment_id: one for one in segments}
    taken = [name for merge in merges for name in merge]
    assert len(taken) == len(set(taken))
    for merge in merges:
        assert merge == sorted(merge, key=int)
        members = [by_id[name] for name in merge]
        assert len(merge) == 1 or sum(one.alive for one in members) <= MILLION
        assert len({one.has_all_features for one in members if one.rows}) <= 1
    for features in (True, False):
        left = [
            one for one in segments if one.segment_id not in taken and one.rows and one.has_all_features == features
        ]
        small = [one for one in left if max(one.alive, one.changes) < SMALLEST_TIER]
        assert len(small) < TIER_SEGMENTS
