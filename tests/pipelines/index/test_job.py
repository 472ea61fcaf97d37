"""The index job: shards in, measured segments and one new snapshot out."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError, PublishRaceLostError, UsageError
from foundation.photos.local_features import FEATURE_RULE
from foundation.store.builds import BUILDS, begun_build
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.segments import (
    read_segment,
)
from foundation.store.snapshots import Snapshot, publish, read_snapshot, snapshot_numbers
from pipelines.index import build_segments, job
from pipelines.index.build_segments import Built
from pipelines.index.memory import estimate_bytes
from pipelines.index.plan import IndexOptions, SegmentPlan
from pipelines.runners.reported import ErrorReport
from tests.builders import add_encoder, add_run, unit_vectors

DIMENSION = 8


vectors_of = partial(unit_vectors, dimension=DIMENSION)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Store, str]:
    """A store with the description of one encoder."""
    store = Store(tmp_path / "store", create=True)
    return store, add_encoder(store, dimension=DIMENSION)


def test_local_features_of_another_rule_are_refused(made: tuple[Store, str], monkeypatch: pytest.MonkeyPatch):
    """A query's would resemble none of them, without any error."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(10), features="local")
    monkeypatch.setattr(job, "FEATURE_RULE", FEATURE_RULE + 1)
    with pytest.raises(
        ArtifactRefusedError,
        match=rf"run1 holds local features made by rule {FEATURE_RULE}, .* by rule {FEATURE_RULE + 1}; ",
    ):
        job.build_index(store)


def test_a_second_run_adds_a_segment_and_a_third_call_nothing(made: tuple[Store, str]):
    """Each call indexes only what the live snapshot lacks."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(20))
    first = job.build_index(store).snapshot
    add_run(store, encoder_id, "run2", vectors_of(10, seed=1), prefix="other")
    second = job.build_index(store)
    assert second.snapshot.parent == first.number == 1
    assert [one.rows for one in second.snapshot.segments] == [20, 10]
    assert second.snapshot.segments[0] == first.segments[0]
    third = job.build_index(store)
    assert third.added == []
    assert third.snapshot == second.snapshot


def test_large_runs_are_cut_into_segments(made: tuple[Store, str]):
    """No segment holds more rows than allowed, and no photo is lost."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(300))
    result = job.build_index(store, options=IndexOptions(max_segment_rows=100))
    assert [segment.rows for segment in result.added] == [100, 100, 100]
    assert result.snapshot.photos == 300


def test_a_memory_limit_makes_more_segments(made: tuple[Store, str]):
    """Where one segment would take more than is allowed, and nothing else changes; too little for one is refused."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(300))
    enough = IndexOptions(memory_limit_bytes=estimate_bytes(100, DIMENSION))
    with pytest.raises(UsageError, match=r"a shard of 50 rows takes about .*raise --memory-limit"):
        job.build_index(store, options=IndexOptions(memory_limit_bytes=estimate_bytes(49, DIMENSION)))
    assert snapshot_numbers(store) == []
    result = job.build_index(store, options=enough)
    assert [segment.rows for segment in result.added] == [100, 100, 100]


def test_the_same_contents_of_two_runs_are_collapsed(made: tuple[Store, str]):
    """One row per content, naming the photos of both runs."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(30))
    add_run(store, encoder_id, "run2", vectors_of(30))
    (segment,) = job.build_index(store).added
    assert (segment.rows, segment.photos) == (30, 60)
    assert sorted(segment.runs) == ["run1", "run2"]


def test_another_encoder_takes_over_only_when_it_is_asked_for(made: tuple[Store, str]):
    """Without --encoder the live one goes on; with it, its segments replace all others: vectors are never mixed."""
    store, encoder_id = made
    other = add_encoder(store, recipe="other", dimension=DIMENSION)
    add_run(store, encoder_id, "run1", vectors_of(20))
    with pytest.raises(InputNotFoundError, match="no embeddings of other-"):
        job.build_index(store, encoder=other)
    job.build_index(store)
    add_run(store, other, "run9", vectors_of(5))
    assert job.build_index(store).added == []
    moved = job.build_index(store, encoder=other, options=IndexOptions(allow_shrink=True)).snapshot
    assert (moved.number, moved.encoder_id, moved.photos) == (2, other, 5)
    assert list(moved.archives) == ["made:run9"]


def test_two_encoders_before_the_first_snapshot_ask_for_a_choice(made: tuple[Store, str]):
    """The error lists both."""
    store, encoder_id = made
    other = add_encoder(store, recipe="other", dimension=DIMENSION)
    add_run(store, encoder_id, "run1", vectors_of(5))
    add_run(store, other, "run2", vectors_of(5))
    with pytest.raises(UsageError, match=f"{encoder_id}, {other}"):
        job.build_index(store)


def test_an_encoder_replaced_under_its_name_is_refused(made: tuple[Store, str]):
    """Runs name the digest of their encoder: another encoder.json in its place mixes nothing."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(5))
    path = store.local_root / "encoders" / encoder_id / "encoder.json"
    path.write_text(path.read_text().replace('"size": 8', '"size": 9'))
    with pytest.raises(ArtifactRefusedError, match="the encoder of run run1 has the digest"):
        job.build_index(store)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_shard_stops_the_index(made: tuple[Store, str], damage: str):
    """The error names the shard, and nothing is published."""
    store, encoder_id = made
    run = add_run(store, encoder_id, "run1", vectors_of(20))
    shard = store.local_root / run.directory / next(iter(run.shards))
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data if damage == "flip" else data[:-9])
    if damage == "gone":
        shard.unlink()
    with pytest.raises((ArtifactRefusedError, InputNotFoundError), match=shard.name):
        job.build_index(store)
    assert snapshot_numbers(store) == []


def test_a_run_without_run_json_is_not_indexed(made: tuple[Store, str]):
    """An interrupted encode leaves shards that nobody trusts."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(20))
    add_run(store, encoder_id, "run2", vectors_of(20, seed=1), prefix="x")
    (store.local_root / "embeddings" / encoder_id / "run2" / "run.json").unlink()
    assert job.build_index(store).snapshot.contents == 20


def test_a_store_without_embeddings_says_what_to_do(made: tuple[Store, str]):
    """Nothing to index is no success."""
    with pytest.raises(InputNotFoundError, match="firstseen encode"):
        job.build_index(made[0])


def test_losing_the_race_leaves_the_winner_live(made: tuple[Store, str], monkeypatch: pytest.MonkeyPatch):
    """A snapshot published meanwhile wins; running again indexes on top of it."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(20))

    def overtaken(store, snapshot):
        publish(store, replace(snapshot, publisher="somebody faster"))
        publish(store, snapshot)

    monkeypatch.setattr(job, "publish", overtaken)
    with pytest.raises(PublishRaceLostError, match="run again") as lost:
        job.build_index(store)
    assert lost.value.exit_code == 6
    monkeypatch.undo()
    assert read_snapshot(store).publisher == "somebody faster"
    assert job.build_index(store).added == []


def test_a_retried_publish_is_no_lost_race(made: tuple[Store, str]):
    """The same publisher's same snapshot is already there: the retry succeeds, another publisher's fails."""
    store, encoder_id = made
    spec, digest = read_spec(store, encoder_id)
    first, second = (job.next_snapshot(None, None, spec, digest, [], [], IndexOptions()) for _ in range(2))
    for _ in range(2):
        publish(store, first)
    with pytest.raises(PublishRaceLostError):
        publish(store, second)


def test_nothing_is_live_before_the_launcher_publishes(made: tuple[Store, str], monkeypatch: pytest.MonkeyPatch):
    """When the pipeline has ended, the segments are whole and no snapshot names them: a gate can stand there."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(20))
    seen = []

    def judge(store: Store, snapshot: Snapshot) -> None:
        seen.append(snapshot_numbers(store))
        assert [read_segment(store, one).rows for one in snapshot.segments] == [20]
        raise ArtifactRefusedError("below the bar")

    monkeypatch.setattr(job, "publish", judge)
    with pytest.raises(ArtifactRefusedError, match="below the bar"):
        job.build_index(store)
    assert seen == [[]]
    assert snapshot_numbers(store) == []
    assert store.files(BUILDS) == []


def test_a_gate_sees_the_snapshot_before_it_is_live(made: tuple[Store, str]):
    """It gets all segments, kept and new ones, while the one before still answers."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(20))
    job.build_index(store)
    add_run(store, encoder_id, "run2", vectors_of(10, seed=1), prefix="other")
    judged: list[tuple[Snapshot, list[int]]] = []
    result = job.build_index(store, gate=lambda snapshot: judged.append((snapshot, snapshot_numbers(store))))
    ((snapshot, live),) = judged
    assert live == [1]
    assert snapshot == result.snapshot == read_snapshot(store)
    assert [segment.rows for segment in snapshot.segments] == [20, 10]
    job.build_index(store, gate=lambda _: pytest.fail("nothing is new, and nothing is to be judged"))


def test_what_a_gate_refuses_leaves_nothing(made: tuple[Store, str]):
    """The live snapshot and its segment stay whole; the files of the new segment are gone, its run is not."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(20))
    job.build_index(store)
    before = sorted(path for path in store.local_root.rglob("*") if path.is_file())
    run = add_run(store, encoder_id, "run2", vectors_of(10, seed=1), prefix="other")

    def refuse(_: Snapshot) -> None:
        raise ArtifactRefusedError("too little is found")

    with pytest.raises(ArtifactRefusedError, match="too little is found"):
        job.build_index(store, gate=refuse)
    after = [path for path in store.local_root.rglob("*") if path.is_file()]
    assert sorted(path for path in after if run.run_id not in path.parts) == before
    assert job.build_index(store).snapshot.number == 2


@pytest.mark.parametrize("change", [{"decode_rule": 2}, {"dimension": 9}, {"distance": "euclidean"}])
def test_a_run_made_otherwise_than_its_encoder_says_is_refused(made: tuple[Store, str], change: dict):
    """Photos decoded by another rule, or vectors of another kind, are not mixed in silently."""
    store, encoder_id = made
    run = add_run(store, encoder_id, "run1", vectors_of(20))
    path = store.local_root / run.directory / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ArtifactRefusedError, match=r"run run1 says decode rule .*; encode again"):
        job.build_index(store)
    assert snapshot_numbers(store) == []


@contextmanager
def begun_in_both(store: Store, build_id: str) -> Iterator[str]:
    """Begins a build as if the copy of the store had been made after that."""
    with begun_build(store, build_id) as path:
        Store(store.local_root.with_name("copy")).create(path, b"{}")
        yield path


@pytest.mark.parametrize("is_late", [False, True])
def test_nothing_is_published_of_what_was_built_in_a_copy_of_the_store(
    made: tuple[Store, str], monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    """A machine may have one under the same name: the snapshot would name segments that nobody finds."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(200))
    copy = store.local_root.with_name("copy")
    shutil.copytree(store.local_root, copy)
    before = sorted(copy.rglob("*"))

    def build_there(plan: SegmentPlan, *, build: partial, report: ErrorReport) -> Iterator[Built]:
        if plan.number:
            report = replace(report, store=Store(copy))
            build = partial(build.func, **build.keywords | {"store": Store(copy)})
        yield from build_here(plan, build=build, report=report)

    build_here = build_segments._build_reporting
    monkeypatch.setattr(build_segments, "_build_reporting", build_there)
    if is_late:
        monkeypatch.setattr(build_segments, "begun_build", begun_in_both)
    options = IndexOptions(max_segment_rows=100)
    with pytest.raises(UsageError, match=r"with segments/\S+ missing" if is_late else "not all of 2 segments"):
        job.build_index(store, options=options, runner="FnApiRunner")
    assert snapshot_numbers(store) == []
    assert store.files(BUILDS) == []
    assert is_late or sorted(copy.rglob("*")) == before


def build_one(plan: SegmentPlan, *, build: Callable, report: ErrorReport) -> Iterator[Built]:
    """Builds as two workers do, one of whom does not see the store."""
    if plan.number == 0:
        yield build(plan)


def test_what_some_workers_did_not_build_is_not_left_out(
    made: tuple[Store, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot of the segments that are there would have lost the photos of the others, and nobody would see it."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(200))
    monkeypatch.setattr(build_segments, "_build_reporting", build_one)
    options = IndexOptions(max_segment_rows=100)
    with pytest.raises(
        UsageError, match=r"not all of 2 segments built.*; if that comes again, maybe not all workers see"
    ):
        job.build_index(store, options=options, runner="FnApiRunner")
    assert snapshot_numbers(store) == []
