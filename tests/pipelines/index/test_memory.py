"""The memory of a build: estimated before it begins, and never planned beyond the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import UsageError
from pipelines.index import memory
from pipelines.index.memory import (
    FEWEST_DESCRIPTORS,
    FIXED_BYTES,
    MOST_ROWS,
    estimate_bytes,
    limit_per_worker,
    most_descriptors,
    most_rows,
    require_memory,
)

dimensions = st.sampled_from([8, 128, 256, 1_024])


@given(st.integers(1, 5_000_000), dimensions)
def test_more_rows_take_more_memory(rows: int, dimension: int) -> None:
    """And never less than the program itself."""
    assert FIXED_BYTES < estimate_bytes(rows, dimension) < estimate_bytes(rows + 1_000, dimension)
    assert estimate_bytes(rows, dimension) < estimate_bytes(rows, 2 * dimension)


@given(st.integers(0, 50_000_000_000), dimensions)
def test_the_most_rows_within_a_limit_are_found(limit: int, dimension: int) -> None:
    """They fit, and one more does not."""
    rows = most_rows(limit, dimension)
    assert rows == 0 or estimate_bytes(rows, dimension) <= limit
    assert rows == MOST_ROWS or estimate_bytes(rows + 1, dimension) > limit


def test_what_does_not_fit_is_refused_with_both_figures() -> None:
    """The message says what a user can do about it."""
    needed = estimate_bytes(50_000, 128)
    require_memory(50_000, 128, needed)
    with pytest.raises(
        UsageError, match=r"^a shard of 50,000 rows takes about \d+ MB .*; the limit is 200 MB .*--memory-limit"
    ):
        require_memory(50_000, 128, 200_000_000)


def test_workers_on_one_machine_share_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default a part of what it has left; workers of another runner have each what is given, if it is."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 10 * 10**9)
    assert limit_per_worker(None, runner="local", workers=1) == 7 * 10**9
    assert limit_per_worker(None, runner="local", workers=2) == 35 * 10**8
    assert limit_per_worker("8GB", runner="local", workers=4) == 2 * 10**9
    assert limit_per_worker("8GB", runner="DataflowRunner", workers=4) == 8 * 10**9
    assert limit_per_worker(None, runner="DataflowRunner", workers=4) is None


@given(st.integers(0, 20_000_000_000), st.integers(0, 2_000_000))
def test_trees_over_local_features_follow_the_limit(limit: int, rows: int) -> None:
    """As many descriptors as memory is left for; never so few that there would be hundreds of trees."""
    count = most_descriptors(limit, rows, most=4_000_000)
    assert FEWEST_DESCRIPTORS <= count <= 4_000_000
    assert count <= most_descriptors(limit + 10**9, rows, most=4_000_000)
    assert most_descriptors(None, rows, most=4_000_000) == 4_000_000


def test_a_smaller_limit_makes_smaller_trees() -> None:
    """With 2 GB for 100,000 rows there is room for all; with 500 MB for a part."""
    assert most_descriptors(2 * 10**9, 100_000, most=4_000_000) == 4_000_000
    assert 250_000 < most_descriptors(500 * 10**6, 100_000, most=4_000_000) < 2_000_000


def test_local_features_take_memory_of_their_own() -> None:
    """Fewer rows fit beside them."""
    assert estimate_bytes(1_000, 128, has_features=True) > estimate_bytes(1_000, 128)
    assert most_rows(10**9, 128, has_features=True) < most_rows(10**9, 128)
