"""A compaction: fewer segments, less in them, and the same answers."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError, InputNotFoundError, PublishRaceLostError, UsageError
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.runs import EMBEDDINGS
from foundation.store.segments import (
    CHANGED_HASHES,
    LOCAL_FILES,
    PHOTOS,
    SEGMENTS,
    read_segment,
    segment_directory,
)
from foundation.store.segments import VECTORS as VECTORS_FILE
from foundation.store.snapshots import read_snapshot, snapshot_numbers
from pipelines.compact import job, merge_segments
from pipelines.compact.job import compact_all, compact_due
from pipelines.index.plan import IndexOptions
from serving.search.snapshot import OpenSnapshot
from tests.builders import add_encoder, add_run, content, day, unit_vectors
from tests.pipelines.compact.made_stores import CONTENTS, DIMENSION, FEATURES, VECTORS, add, answers, retract
from tests.segments import add_segment, held, occurrence, publish_segments

A, B = "file:///a", "s3://b"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store", create=True)


def gone(photo_id: str, archive: str = A, *, generation: int = 2) -> Occurrence:
    """Returns that a photo went."""
    return occurrence(photo_id, archive, generation=generation, is_removed=True)


def photo(name: int, archive: str = A, **fields) -> list[Occurrence]:
    """Returns the one occurrence of a content."""
    return [occurrence(f"{name}.jpg", archive, published_at=day(name + 1), **fields)]


def nights(store: Store, *, features: bool = True) -> str:
    """Makes a store of four segments: a photo went, one moved, one is held twice; returns the encoder's id."""
    encoder_id = add_encoder(store, dimension=DIMENSION)
    moved = [gone("1.jpg"), occurrence("moved/1.jpg", A, generation=2, caption="again")]
    segments = [
        add(store, encoder_id, "s1", {n: photo(n) for n in range(4)}, features=features, runs={"run1": "d1"}),
        add(store, encoder_id, "s2", {n: photo(n, B) for n in (3, 4, 5)}, features=features, runs={"run2": "d2"}),
        add(store, encoder_id, "s3", {}, features=False, changes={0: [gone("0.jpg")], 1: moved}, runs={"run3": "d3"}),
        add(
            store,
            encoder_id,
            "s4",
            {6: photo(6, generation=3)},
            features=features,
            changes={4: [occurrence("new.jpg", A, generation=3)]},
            runs={"run4": "d4"},
            shards=["embeddings/e/run4/part-1.parquet"],
        ),
    ]
    publish_segments(store, encoder_id, *segments)
    return encoder_id


@pytest.mark.parametrize("features", [True, False])
@pytest.mark.parametrize("compact", [compact_all, compact_due])
def test_answers_stay_and_the_rest_goes(store: Store, compact, features: bool):
    """One segment with what is left of all of them: of the photo that went nothing, of the one held twice one row."""
    nights(store, features=features)
    before, was = answers(store), read_snapshot(store)
    result = compact(store)
    assert answers(store) == before
    (made,) = result.made
    assert [one.segment_id for one in result.merged] == ["s1", "s2", "s3", "s4"]
    assert (made.rows, made.changes, made.photos, result.dropped) == (6, 0, 8, 1)
    assert made.runs == {f"run{number}": f"d{number}" for number in range(1, 5)}
    assert made.shards == ["embeddings/e/run4/part-1.parquet"]
    assert made.has_all_features == features
    live = read_snapshot(store)
    assert (live.number, live.parent, live.reason, len(live.segments)) == (2, None, "compact", 1)
    assert (live.archives, live.left_out, live.photos, live.contents) == (
        was.archives,
        was.left_out,
        was.photos,
        was.contents,
    )
    directory = store.local_root / segment_directory(made.segment_id)
    assert "0.jpg" not in str(parquet.read_table(directory / PHOTOS).to_pylist())
    assert not compact(store).merged


def test_nothing_is_due_in_a_store_of_few_segments(store: Store):
    """Without four of a size nothing is read, and nothing published."""
    encoder_id = add_encoder(store, dimension=DIMENSION)
    segments = [add(store, encoder_id, f"s{n}", {n: photo(n)}, features=True) for n in range(3)]
    publish_segments(store, encoder_id, *segments)
    (store.local_root / segment_directory("s1") / PHOTOS).write_bytes(b"damaged")
    result = compact_due(store)
    assert (result.snapshot.number, result.made, snapshot_numbers(store)) == (1, [], [1])


def test_what_another_segment_knows_is_still_said_to_be_gone(store: Store, monkeypatch: pytest.MonkeyPatch):
    """A segment outside of the merge holds the photo that went: the merged one goes on to hide it."""
    encoder_id = nights(store)
    monkeypatch.setattr(job, "plan_all", lambda segments, max_rows: [["s3", "s4"]])
    before = answers(store)
    (made,) = compact_all(store).made
    assert answers(store) == before
    assert (made.rows, made.changes) == (1, 3)
    monkeypatch.setattr(job, "plan_all", lambda segments, max_rows: [["s1", made.segment_id]])
    (second,) = compact_all(store).made
    assert answers(store) == before
    assert (second.rows, second.changes) == (4, 1)
    assert [one.rows for one in read_snapshot(store).segments] == [4, 3]
    assert encoder_id == second.encoder_id


def test_nothing_is_left_of_segments_all_of_whose_photos_went(store: Store):
    """The snapshot goes on without any segment, and finds nothing."""
    encoder_id = add_encoder(store, dimension=DIMENSION)
    first = add(store, encoder_id, "s1", {0: photo(0)}, features=True)
    second = add(store, encoder_id, "s2", {}, features=False, changes={0: [gone("0.jpg")]})
    publish_segments(store, encoder_id, first, second)
    result = compact_all(store)
    assert (result.made, result.snapshot.segments, result.dropped) == ([], [], 1)
    assert answers(store)["held"] == [False] * CONTENTS


def test_a_withdrawn_photo_leaves_no_byte_in_the_segments(store: Store):
    """Neither its vector nor its features nor its words; it was hidden before, and is still."""
    nights(store)
    retract(store, 2)
    before = answers(store)
    (made,) = compact_all(store).made
    assert answers(store) == before
    assert made.rows == 5
    for path in (store.local_root / segment_directory(made.segment_id)).rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert content(2) not in data
            assert VECTORS[2].tobytes() not in data
            assert FEATURES[2].descriptors.tobytes() not in data


def test_of_a_content_held_with_features_and_without_one_is_kept(store: Store):
    """That with features; kinds of segments stay apart, and the other one says on who has it."""
    encoder_id = add_encoder(store, dimension=DIMENSION)
    segments = [
        add(store, encoder_id, "s1", {0: photo(0), 1: photo(1)}, features=False),
        add(store, encoder_id, "s2", {0: photo(0, B), 2: photo(2)}, features=True),
    ]
    publish_segments(store, encoder_id, *segments)
    before = answers(store)
    result = compact_all(store)
    assert [one.segment_id for one in result.merged] == ["s1"]
    assert [(one.rows, one.changes, one.has_all_features) for one in result.made] == [(1, 1, False)]
    assert answers(store) == before
    with OpenSnapshot(store) as opened:
        assert list(map(len, opened.places([content(name) for name in range(3)]))) == [1, 1, 1]


def test_features_are_kept_wherever_they_come_from(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Of one content that two merged segments hold, the one with features counts, be it the first or the second."""
    encoder_id = add_encoder(store, dimension=DIMENSION)
    segments = [
        add(store, encoder_id, "s1", {0: photo(0), 1: photo(1)}, features=False),
        add(store, encoder_id, "s2", {0: photo(0, B), 2: photo(2, B)}, features=True),
        add(store, encoder_id, "s3", {2: photo(2), 3: photo(3)}, features=False),
    ]
    publish_segments(store, encoder_id, *segments)
    before = answers(store)
    monkeypatch.setattr(job, "plan_all", lambda segments, max_rows: [["s1", "s2", "s3"]])
    (made,) = compact_all(store).made
    assert answers(store) == before
    assert (made.rows, made.local.rows) == (4, 2)


def test_few_rows_are_allowed_and_segments_are_cut_by_their_hashes(store: Store):
    """As few as can be of so many rows; each knows the contents of its own alone."""
    nights(store)
    before = answers(store)
    result = compact_all(store, options=IndexOptions(max_segment_rows=2))
    assert [one.rows for one in result.made] == [2, 2, 2]
    assert answers(store) == before
    assert not compact_all(store, options=IndexOptions(max_segment_rows=2)).merged


def test_a_memory_limit_makes_more_segments(store: Store):
    """As an index does; under what building any takes it is refused."""
    nights(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "most_rows", lambda limit, dimension: 3)
        result = compact_all(store, options=IndexOptions(memory_limit_bytes=10**9))
    assert [one.rows for one in result.made] == [3, 3]
    with pytest.raises(UsageError, match="raise --memory-limit"):
        compact_all(store, options=IndexOptions(memory_limit_bytes=10**6))


def test_a_scann_segment_is_built_and_measured_anew(store: Store):
    """Two trees become one; identical photos are found, and its recall stands in segment.json."""
    encoder_id = add_encoder(store, dimension=DIMENSION)
    vectors = unit_vectors(120, DIMENSION)
    rows = [held(f"n{n}", occurrence(f"{n}.jpg", A)) for n in range(120)]
    parts = [add_segment(store, encoder_id, f"s{n}", rows[n::4], vectors=vectors[n::4]) for n in range(4)]
    publish_segments(store, encoder_id, *parts)
    scann = IndexOptions(exact_below=0)
    publish_segments(
        store, encoder_id, *compact_all(store, options=replace(scann, max_segment_rows=60)).snapshot.segments
    )
    assert [read_segment(store, one).kind for one in read_snapshot(store).segments] == ["scann", "scann"]
    (made,) = compact_all(store, options=scann).made
    assert (made.kind, made.rows) == ("scann", 120)
    assert made.recall_queries
    assert made.recall_at_10 >= 0.95
    with OpenSnapshot(store) as opened:
        found = opened.search(vectors, 1).contents[:, 0]
        assert [bytes(one).ljust(32, b"\0") for one in found] == [content(f"n{n}") for n in range(120)]


def segments_on_disk(store: Store) -> list[str]:
    """Returns the segments that have any file."""
    return sorted(
        {
            path.relative_to(store.local_root / SEGMENTS).parts[0]
            for path in (store.local_root / SEGMENTS).rglob("*")
            if path.is_file()
        }
    )


def test_a_lost_race_leaves_the_other_one_live(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Exit code 6, and nothing of what was built is left."""
    encoder_id = nights(store)
    build = job._build

    def slow(*args):
        built = build(*args)
        publish_segments(store, encoder_id, *read_snapshot(store).segments)
        return built

    monkeypatch.setattr(job, "_build", slow)
    with pytest.raises(PublishRaceLostError) as lost:
        compact_all(store)
    assert lost.value.exit_code == 6
    assert segments_on_disk(store) == ["s1", "s2", "s3", "s4"]
    assert read_snapshot(store).reason == "index"


@pytest.mark.parametrize("segment_id", ["s1", "s2"])
@pytest.mark.parametrize("name", [PHOTOS, VECTORS_FILE, *sorted(LOCAL_FILES)])
def test_damage_is_refused_and_not_passed_on(store: Store, segment_id: str, name: str):
    """What is merged would get new digests: the damaged file is named, and what was built before is removed."""
    nights(store)
    path = store.local_root / segment_directory(segment_id) / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ArtifactRefusedError, match=f"{segment_id}/{name} is damaged"):
        compact_all(store)
    assert segments_on_disk(store) == ["s1", "s2", "s3", "s4"]
    assert snapshot_numbers(store) == [1]


def test_damage_to_what_stays_is_refused_as_well(store: Store, monkeypatch: pytest.MonkeyPatch):
    """What other segments say decides what is dropped."""
    nights(store)
    monkeypatch.setattr(job, "plan_all", lambda segments, max_rows: [["s1", "s2"]])
    path = store.local_root / segment_directory("s3") / CHANGED_HASHES
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactRefusedError, match=r"s3/changed_hashes\.npy is damaged"):
        compact_all(store)


def test_an_error_of_the_second_merge_removes_the_first(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Nothing is left behind that nobody names."""
    nights(store)
    monkeypatch.setattr(job, "plan_all", lambda segments, max_rows: [["s1", "s3"], ["s2", "s4"]])
    (store.local_root / segment_directory("s4") / VECTORS_FILE).write_bytes(b"")
    with pytest.raises(ArtifactRefusedError):
        compact_all(store)
    assert segments_on_disk(store) == ["s1", "s2", "s3", "s4"]


def test_an_error_of_the_second_part_removes_the_first(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Of a merge that is cut into several segments, too."""
    nights(store)
    finish, built = merge_segments.finish_segment, []

    def fail_at_the_second(*args, **options):
        built.append(None)
        if len(built) == 2:
            raise ArtifactRefusedError("recall@10 of the segment is 0.1")
        return finish(*args, **options)

    monkeypatch.setattr(merge_segments, "finish_segment", fail_at_the_second)
    with pytest.raises(ArtifactRefusedError, match="recall"):
        compact_all(store, options=IndexOptions(max_segment_rows=2))
    assert segments_on_disk(store) == ["s1", "s2", "s3", "s4"]


def begin(store: Store, encoder_id: str, run_id: str) -> None:
    """Puts a run into the store that began and is not finished."""
    store.create(f"{EMBEDDINGS}/{encoder_id}/{run_id}/begun.json", b"{}")


def test_a_content_that_an_unfinished_run_may_need_stays_hidden(store: Store):
    """The run took it for known: what is dropped would have no vector when the photo is there again."""
    encoder_id = nights(store)
    begin(store, encoder_id, "run9")
    before = answers(store)
    result = compact_all(store)
    assert (result.made[0].rows, result.dropped) == (7, 0)
    assert answers(store) == before


def test_a_run_that_begins_meanwhile_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch):
    """It may know contents that are being dropped: exit code 6, and nothing is left behind."""
    encoder_id = nights(store)
    build = job._build

    def slow(*args):
        begin(store, encoder_id, "run9")
        return build(*args)

    monkeypatch.setattr(job, "_build", slow)
    with pytest.raises(PublishRaceLostError, match="run run9 began"):
        compact_all(store)
    assert segments_on_disk(store) == ["s1", "s2", "s3", "s4"]


def test_without_a_snapshot_there_is_nothing_to_compact(store: Store):
    """Exit code 4."""
    with pytest.raises(InputNotFoundError, match="no snapshot yet"):
        compact_all(store)


def test_segments_of_an_older_version_are_left_to_the_next_index(store: Store):
    """Their photos name no archive: the index builds them anew, and until then they stay as they are."""
    encoder_id = add_encoder(store, dimension=DIMENSION)
    old = add(store, encoder_id, "s1", {0: photo(0)}, features=True, names_archives=False)
    publish_segments(store, encoder_id, old, add(store, encoder_id, "s2", {1: photo(1)}, features=True))
    assert not compact_all(store).merged


def test_the_chain_of_digests_goes_on(store: Store):
    """A compacted snapshot verifies down to the runs that its rows come from."""
    from pipelines.index.job import build_index

    encoder_id = add_encoder(store, dimension=DIMENSION)
    (store.local_root / f"encoders/{encoder_id}/model").write_bytes(b"made"[:1])
    for number in range(4):
        add_run(store, encoder_id, f"run{number}", unit_vectors(5, DIMENSION), prefix=f"{number}-", features="local")
        build_index(store)
    result = compact_due(store)
    assert len(result.snapshot.segments) == 1
    assert sorted(result.made[0].runs) == [f"run{number}" for number in range(4)]
    assert len(result.made[0].shards) == 4
