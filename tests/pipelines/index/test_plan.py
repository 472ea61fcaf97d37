"""Planning segments: pure, bounded, and nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UsageError
from foundation.store.artifact import FileRecord
from foundation.store.chains import FinishedRun
from foundation.store.runs import Accounting, Run
from pipelines.index.memory import estimate_bytes
from pipelines.index.plan import (
    IndexOptions,
    ShardReference,
    generations,
    group_shards,
    group_within_limits,
    list_changes,
    list_shards,
    plan_segments,
)

RECORD = FileRecord(1, "0" * 64)
sizes = st.lists(st.integers(1, 30), max_size=30)


def shards_of(rows: list[int]) -> list[ShardReference]:
    """Returns shards with these numbers of rows."""
    return [ShardReference(f"part-{number}", size, RECORD) for number, size in enumerate(rows)]


def in_order_groups(rows: list[int], max_rows: int) -> int:
    """Returns the fewest groups in order, by trying every cut."""
    fewest = [0]
    for end in range(1, len(rows) + 1):
        starts = [start for start in range(end) if sum(rows[start:end]) <= max_rows or start == end - 1]
        fewest.append(min(fewest[start] for start in starts) + 1)
    return fewest[-1]


@given(sizes, st.integers(1, 60))
def test_no_shard_is_lost_split_or_moved(rows: list[int], max_rows: int) -> None:
    """The groups put together are the shards; only a single shard may be larger than the bound."""
    shards = shards_of(rows)
    groups = group_shards(shards, max_rows=max_rows)
    assert [shard for group in groups for shard in group] == shards
    for group in groups:
        assert group
        assert len(group) == 1 or sum(shard.rows for shard in group) <= max_rows


@given(sizes, st.integers(1, 60))
def test_there_are_as_few_groups_as_there_can_be(rows: list[int], max_rows: int) -> None:
    """Every query asks every segment: one more costs at each lookup."""
    assert len(group_shards(shards_of(rows), max_rows=max_rows)) == in_order_groups(rows, max_rows)


@settings(max_examples=50)
@given(sizes.filter(bool), st.integers(30, 90))
def test_the_largest_group_is_as_small_as_it_can_be(rows: list[int], max_rows: int) -> None:
    """With one row less allowed there would be more groups: sizes are about equal."""
    groups = group_shards(shards_of(rows), max_rows=max_rows)
    largest = max(sum(shard.rows for shard in group) for group in groups)
    assert largest == max(rows) or in_order_groups(rows, largest - 1) > len(groups)


@pytest.mark.parametrize(
    ("rows", "max_rows", "expected"),
    [
        ([], 10, []),
        ([4], 10, [[4]]),
        ([25], 10, [[25]]),
        ([4, 25, 4], 10, [[4], [25], [4]]),
        ([8, 2, 10, 1], 10, [[8, 2], [10], [1]]),
        ([1] * 12, 10, [[1] * 6, [1] * 6]),
        ([1, 1, 1], 1, [[1], [1], [1]]),
    ],
)
def test_known_plans(rows: list[int], max_rows: int, expected: list[list[int]]) -> None:
    """The corners: nothing, one shard, one too large, even and uneven cuts."""
    groups = group_shards(shards_of(rows), max_rows=max_rows)
    assert [[shard.rows for shard in group] for group in groups] == expected


def run_of(run_id: str, *, generation: int, changes: int = 0, rows: dict[str, int] | None = None) -> FinishedRun:
    """Returns a finished run with these shards."""
    rows = {"part-b": 2, "part-a": 1} if rows is None else rows
    run = Run(
        run_id=run_id,
        archive="file:///archive",
        created_at="",
        encoder_id="e",
        encoder_digest="",
        decode_rule=1,
        dimension=2,
        distance="cosine",
        dtype="float32",
        accounting=Accounting(listed=3, embedded=3, duplicates=0),
        rows=rows,
        files=dict.fromkeys([*rows, "inventory.parquet", *(["changes.parquet"] if changes else [])], RECORD),
        features="none",
        generation=generation,
        previous=None,
        changes=changes,
    )
    return FinishedRun(run, f"digest of {run_id}")


def test_shards_of_runs_are_listed_by_run_and_name() -> None:
    """Paths lead into each run's directory, files that are no shards are left out, and each says which run is later."""
    shards = list_shards([run_of("r1", generation=4), run_of("r0", generation=5)])
    assert [(shard.path, shard.rows, shard.archive, shard.generation) for shard in shards] == [
        ("embeddings/e/r1/part-a", 1, "file:///archive", 4),
        ("embeddings/e/r1/part-b", 2, "file:///archive", 4),
        ("embeddings/e/r0/part-a", 1, "file:///archive", 5),
        ("embeddings/e/r0/part-b", 2, "file:///archive", 5),
    ]


def test_runs_of_older_versions_come_before_all_others() -> None:
    """They have no generation of their own: they follow each other, and the first run of today follows them."""
    runs = [run_of("a", generation=0), run_of("b", generation=0), run_of("c", generation=1)]
    assert generations(runs) == {"a": -2, "b": -1, "c": 1}
    assert [shard.generation for shard in list_shards(runs)] == [-2, -2, -1, -1, 1, 1]


def test_segments_name_the_runs_that_they_say_something_of() -> None:
    """Those of their shards, and the first one those with changes; a run without either is named by none."""
    runs = [
        run_of("a", generation=1),
        run_of("b", generation=2, rows={}, changes=3),
        run_of("c", generation=3, rows={"part-c": 9}, changes=1),
        run_of("d", generation=4, rows={}),
    ]
    plans = plan_segments(runs, IndexOptions(max_segment_rows=9))
    assert [[shard.rows for shard in plan.shards] for plan in plans] == [[1, 2], [9]]
    assert [sorted(plan.runs) for plan in plans] == [["a", "b", "c"], ["c"]]
    assert plans[0].runs["b"] == "digest of b"
    assert [(one.path, one.generation) for one in list_changes(runs)] == [
        ("embeddings/e/b/changes.parquet", 2),
        ("embeddings/e/c/changes.parquet", 3),
    ]


def test_changes_alone_make_a_segment_and_nothing_makes_none() -> None:
    """A night of removals has no shard."""
    (plan,) = plan_segments([run_of("b", generation=2, rows={}, changes=3)], IndexOptions())
    assert (plan.shards, list(plan.runs)) == ([], ["b"])
    assert plan_segments([run_of("d", generation=4, rows={})], IndexOptions()) == []
    assert plan_segments([], IndexOptions()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_segment_rows": 0}, "max-segment-rows is 0; expected at least 1"),
        ({"exact_below": -1}, "exact-below is -1"),
        ({"min_recall": 1.01}, r"min-recall is 1\.01"),
        ({"min_recall": float("nan")}, "min-recall is nan"),
        ({"target_recall": 1.5}, r"target-recall is 1\.5"),
    ],
)
def test_options_out_of_range_are_usage_errors(changes: dict, message: str) -> None:
    """The message names the flag and the value."""
    with pytest.raises(UsageError, match=message):
        IndexOptions(**changes)


def test_the_recall_aimed_at_is_never_under_the_bar() -> None:
    """A greater bar is aimed at; a target under the bar is refused, and the message names both flags."""
    assert IndexOptions().aim == 0.95
    assert IndexOptions(min_recall=0.98).aim == 0.98
    assert IndexOptions(min_recall=0.5).aim == 0.95
    assert IndexOptions(min_recall=0.5, target_recall=0.7).aim == 0.7
    with pytest.raises(UsageError, match=r"target-recall is 0\.9; expected at least min-recall, 0\.95, .*--min-recall"):
        IndexOptions(target_recall=0.9)


@given(sizes.filter(bool), st.integers(1, 60), st.integers(0, 40))
def test_segments_are_cut_to_fit_the_memory(rows: list[int], max_rows: int, allowed: int) -> None:
    """Every shard is in one segment that fits, or the plan is refused: then a single one is too large."""
    limit = estimate_bytes(allowed, 8) if allowed else 0
    options = IndexOptions(max_segment_rows=max_rows, memory_limit_bytes=limit)
    shards = shards_of(rows)
    if max(rows) > allowed:
        with pytest.raises(UsageError, match=r"a shard of \d+ rows takes about .*--memory-limit"):
            group_within_limits(shards, 8, options)
        return
    groups = group_within_limits(shards, 8, options)
    assert [shard for group in groups for shard in group] == shards
    assert groups == group_shards(shards, max_rows=min(max_rows, allowed))
    assert all(estimate_bytes(sum(shard.rows for shard in group), 8) <= limit for group in groups)


def test_changes_leave_less_memory_for_rows() -> None:
    """Every build reads all of them; where they are too many the plan is refused, with rows or without."""
    options = IndexOptions(memory_limit_bytes=estimate_bytes(1_800, 2))
    for changes, segments in ((0, 1), (100, 2)):
        run = run_of("run-1", generation=1, rows={"part-a": 900, "part-b": 900}, changes=changes)
        assert len(plan_segments([run], options)) == segments
    for rows, what in (({"part": 900}, "a shard of 900 rows beside"), ({}, "a segment of")):
        many = run_of("run-1", generation=1, rows=rows, changes=1_000_000)
        with pytest.raises(UsageError, match=rf"^{what} 1,000,000 changes of photos takes about .*--memory-limit"):
            plan_segments([many], options)


def test_without_a_limit_rows_alone_cut_segments() -> None:
    """And a limit without shards refuses nothing."""
    shards = shards_of([8, 2, 10, 1])
    assert group_within_limits(shards, 8, IndexOptions(max_segment_rows=10)) == group_shards(shards, max_rows=10)
    assert group_within_limits([], 8, IndexOptions(memory_limit_bytes=1)) == []
