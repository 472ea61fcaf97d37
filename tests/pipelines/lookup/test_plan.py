"""How a lookup is cut into chunks, rounds and groups of segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import UsageError
from pipelines.lookup.plan import Group, LookupOptions, plan_groups, plan_rounds, plan_slices
from serving.match.options import MatchOptions


@given(st.lists(st.integers(1, 100)), st.integers(1, 150))
def test_groups_hold_every_segment_once_and_fit(sizes: list[int], limit: int) -> None:
    """In their order; only a segment that is too large by itself is above the limit, and no group has room."""
    groups = plan_groups(sizes, limit)
    assert [number for group in groups for number in group.numbers] == list(range(len(sizes)))
    held = [sum(sizes[number] for number in group.numbers) for group in groups]
    assert all(size <= limit or len(group.numbers) == 1 for size, group in zip(held, groups, strict=True))
    assert all(size + sizes[after.first] > limit for size, after in zip(held, groups[1:], strict=False))


def test_without_a_limit_each_segment_is_opened_alone() -> None:
    """Nothing is known of a worker's memory; and without any segment queries are answered all the same."""
    assert plan_groups([1, 1, 1], None) == (Group(0, 1), Group(1, 2), Group(2, 3))
    assert plan_groups([], 10) == plan_groups([], None) == (Group(0, 0),)


@pytest.mark.parametrize(("groups", "workers", "slices"), [(1, 1, 1), (1, 4, 4), (3, 4, 2), (8, 2, 1)])
def test_every_worker_has_a_piece(groups: int, workers: int, slices: int) -> None:
    """Also where there are fewer groups than workers."""
    assert plan_slices(groups, workers) == slices


def test_rounds_take_what_is_left() -> None:
    """So many chunks each, in their order."""
    assert list(plan_rounds([1, 2, 5, 6, 9], 2)) == [[1, 2], [5, 6], [9]]
    assert list(plan_rounds([], 2)) == []


def test_chunks_hold_whole_batches() -> None:
    """So that the vectors are those of the small path; a round has a chunk at least, and more with more workers."""
    options = LookupOptions(store="s", match=MatchOptions(batch_size=48))
    assert options.queries_per_chunk == 144
    assert LookupOptions(store="s", match=MatchOptions(batch_size=4_096), round_queries=1).chunks_per_round == 1
    assert LookupOptions(store="s", workers=3).chunks_per_round == 3 * LookupOptions(store="s").chunks_per_round


def test_options_out_of_range_are_refused() -> None:
    """Both numbers are named."""
    with pytest.raises(UsageError, match="workers is 0; expected"):
        LookupOptions(store="s", workers=0)


def test_the_memory_that_is_free_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of segments and what workers ask for go by the same limit."""
    free = iter([1_000, 2_000])
    monkeypatch.setattr("pipelines.index.memory.available_bytes", lambda: next(free))
    options = LookupOptions(store="s", workers=2)
    assert options.limit_bytes == options.limit_bytes == 350
