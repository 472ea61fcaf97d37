"""Purge: no byte of a photo is left, wherever it was, and everything else answers as before."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError, FirstseenError, TemporaryError, UsageError
from foundation.store import amendments
from foundation.store.files import Store
from foundation.store.ignored import read_ignored
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.snapshots import read_snapshot, snapshot_numbers
from foundation.store.verify import verify
from pipelines.compact.merge_segments import Merging
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index import memory
from pipelines.index.job import build_index
from pipelines.purge import job, purge_segments
from pipelines.purge.job import purge
from serving.ignore import ignore_photo
from serving.retract import photos_named
from serving.searcher import Searcher
from tests.photos import jpeg, noise
from tests.pipelines.answers import answers, contents_of
from tests.pipelines.traces import traces
from tests.pipelines.two_nights import Nights, begin_own, run_night


@pytest.fixture
def retracted(nights: Nights) -> Callable[..., list[RetractedPhoto]]:
    """A function that retracts photos by name and returns them as the list has them."""

    def retract(*names: str, archive: str | None = None) -> list[RetractedPhoto]:
        photos = photos_named(nights.opened, names, archive=archive)
        add_retraction(nights.opened, photos, why="a court order")
        return photos

    return retract


@pytest.mark.parametrize("name", ["2019/photo-003.jpg", "new.jpg", "renamed.jpg"])
def test_nothing_is_left_of_a_photo(nights: Nights, retracted, name: str) -> None:
    """It lay in shards, inventories, changes, segments and their features, and in older snapshots."""
    contents = contents_of(nights.store)
    photos = retracted(name, archive=f"file://{nights.archive}")
    content = bytes.fromhex(photos[0].content_sha256)
    before = answers(nights.store, contents)
    assert traces(nights.store, name, content)
    result = purge(nights.opened, photos)
    assert traces(nights.store, name, content) == []
    assert result.files_read > 10
    after = answers(nights.store, contents)
    assert content not in after
    assert {key: value for key, value in after.items() if key != b"counts"} == {
        key: value for key, value in before.items() if key not in (content, b"counts")
    }
    verify(nights.opened)
    with Searcher.open(nights.opened) as searcher:
        path = nights.archive / name
        assert [one.status for one in next(iter(searcher.lookup([str(path)])))] == ["no_match"]


def test_what_a_photo_was_before_goes_too(nights: Nights, retracted) -> None:
    """Its file was exchanged: the earlier picture lies in shards and segments, hidden, and nobody else has it."""
    name = "2019/photo-002.jpg"
    earlier = hashlib.sha256(jpeg(noise(2))).digest()
    assert earlier in contents_of(nights.store)
    purge(nights.opened, retracted(name))
    assert traces(nights.store, name, earlier) == []


def test_a_content_that_another_photo_has_stays_without_the_name(nights: Nights, tmp_path: Path) -> None:
    """One of two equal files was exchanged and then purged: what it was before is still the other's."""
    store, archive = begin_own(nights, tmp_path)
    shared = jpeg(noise(310))
    for name in ("first.jpg", "second.jpg"):
        (archive / name).write_bytes(shared)
    run_night(store, archive)
    (archive / "first.jpg").write_bytes(jpeg(noise(311)))
    run_night(store, archive)
    photos = photos_named(Store(store), ["first.jpg"])
    add_retraction(Store(store), photos, why="a court order")
    purge(Store(store), photos)
    assert traces(store, "first.jpg", bytes.fromhex(photos[0].content_sha256)) == []
    found = answers(store, [hashlib.sha256(shared).digest()])
    assert [one.photo_id for one in found[hashlib.sha256(shared).digest()][0]] == ["second.jpg"]
    verify(Store(store))


def test_the_lists_of_the_desk_are_purged_too(nights: Nights, retracted) -> None:
    """A photo may have been ignored, too: the entry has its hash and its thumbnail."""
    ignore_photo(nights.opened, str(nights.archive / "new.jpg"), why="a logo")
    purge(nights.opened, retracted("new.jpg"))
    assert [one.photo for one in read_ignored(nights.opened)] == [None]


def test_a_copy_under_another_name_loses_its_content_and_keeps_its_name(nights: Nights, retracted) -> None:
    """Its archive lists it: it is noted as withdrawn there, without any word about it."""
    retracted_photos = retracted("2019/photo-003.jpg", archive=f"file://{nights.archive}")
    purge(nights.opened, retracted_photos)
    rows = [
        row
        for path in nights.store.glob("embeddings/*/*/inventory*.parquet")
        for row in parquet.read_table(path).to_pylist()
        if row["photo_id"] == "copy.jpg"
    ]
    assert {(row["content_sha256"], row["reason"]) for row in rows} == {(None, "retracted")}


def test_the_next_nights_bring_nothing_back(nights: Nights, retracted, tmp_path: Path) -> None:
    """The archive still has the photo: it is rejected by its name, and gets into no shard and no segment."""
    contents = contents_of(nights.store)
    photos = retracted("new.jpg")
    purge(nights.opened, photos)
    before = answers(nights.store, contents)
    run_night(nights.store, nights.archive)
    run_night(nights.store, nights.second)
    after = answers(nights.store, contents)
    assert after == before
    content = bytes.fromhex(photos[0].content_sha256)
    assert "hash" not in traces(nights.store, "new.jpg", content)


def test_counts_and_older_snapshots_follow(nights: Nights, retracted) -> None:
    """Snapshots that list a segment with the photo are gone, and nobody can roll back to them."""
    before = read_snapshot(nights.opened)
    result = purge(nights.opened, retracted("2019/photo-003.jpg", archive=f"file://{nights.archive}"))
    live = read_snapshot(nights.opened)
    assert (live.number, live.reason, live.photos) == (5, "purge", before.photos - 2)
    assert result.snapshots == [1, 2, 3, 4]
    assert snapshot_numbers(nights.opened) == [5]
    assert live.parent is None


def test_segments_are_built_within_memory_and_under_no_bar(nights: Nights, retracted, monkeypatch) -> None:
    """A store that was built with a lower --min-recall can be purged, on a small machine, too."""
    asked = []
    real = purge_segments.merge_segments

    def merge_segments(merging: Merging, *arguments):
        asked.append(merging.options)
        return real(merging, *arguments)

    monkeypatch.setattr(purge_segments, "merge_segments", merge_segments)
    monkeypatch.setattr(memory, "available_bytes", lambda: 5 * 10**8)
    purge(nights.opened, retracted("new.jpg"))
    assert {(one.min_recall, one.memory_limit_bytes) for one in asked} == {(0, 35 * 10**7)}
    assert asked[0].max_segment_rows < 1_000_000


def test_a_waiting_run_is_purged_too(nights: Nights, retracted, tmp_path: Path) -> None:
    """It was encoded before the photo was withdrawn, and not indexed yet."""
    third = tmp_path / "third"
    third.mkdir()
    for number in range(2):
        (third / f"{number}.jpg").write_bytes(jpeg(noise(200 + number)))
    shutil.copy(nights.archive / "new.jpg", third / "again.jpg")
    encode(EncodeOptions(archive=str(third), store=str(nights.store)))
    photos = retracted("new.jpg")
    purge(nights.opened, photos)
    assert traces(nights.store, "new.jpg", bytes.fromhex(photos[0].content_sha256)) == []
    build_index(nights.opened)
    verify(nights.opened)
    assert read_snapshot(nights.opened).archives[f"file://{third}"].photos in (2, 3)


@pytest.mark.parametrize("step", ["purge_runs", "marked_segments", "replace_segments", "remove_old", "find_traces"])
def test_a_purge_that_was_cut_off_is_taken_up(nights: Nights, retracted, step: str, monkeypatch) -> None:
    """Whatever was done before stays done, and the store is whole in between."""
    photos = retracted("2019/photo-003.jpg", archive=f"file://{nights.archive}")
    with monkeypatch.context() as patch:

        def cut_off(*arguments, **options):
            raise KeyboardInterrupt

        patch.setattr(job, step, cut_off)
        with pytest.raises(KeyboardInterrupt):
            purge(nights.opened, photos)
    verify(nights.opened)
    purge(nights.opened, photos)
    assert traces(nights.store, "2019/photo-003.jpg", bytes.fromhex(photos[0].content_sha256)) == []
    verify(nights.opened)


def test_an_amendment_that_removed_nothing_yet_is_taken_up(nights: Nights, retracted, monkeypatch) -> None:
    """The process died after it wrote down what counts, and before the old file was gone."""
    photos = retracted("new.jpg")
    with monkeypatch.context() as patch:
        patch.setattr(amendments, "remove_amended", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            purge(nights.opened, photos)
    purge(nights.opened, photos)
    assert traces(nights.store, "new.jpg", bytes.fromhex(photos[0].content_sha256)) == []


def test_leftovers_are_purged(nights: Nights, retracted) -> None:
    """A shard that nothing lists, and a segment that no snapshot names."""
    for path in nights.store.glob("embeddings/*/*/part-*.parquet"):
        shutil.copy(path, path.with_name(f"part-orphan-{path.name}"))
    segment = next(nights.store.glob("segments/*"))
    shutil.copytree(segment, segment.with_name("orphan"))
    photos = retracted("2019/photo-003.jpg", archive=f"file://{nights.archive}")
    purge(nights.opened, photos)
    assert traces(nights.store, "2019/photo-003.jpg", bytes.fromhex(photos[0].content_sha256)) == []


def test_a_trace_that_somebody_wrote_meanwhile_is_told(nights: Nights, retracted, monkeypatch) -> None:
    """The proof reads what is there, and not what was listed before."""
    photos = retracted("new.jpg")
    real = job.find_traces

    def write_first(store: Store, purged):
        store.create("builds/x.json", photos[0].content_sha256.encode())
        return real(store, purged)

    monkeypatch.setattr(job, "find_traces", write_first)
    with pytest.raises(TemporaryError, match=r"1 files still have a trace, builds/x\.json first"):
        purge(nights.opened, photos)


def test_a_photo_that_is_not_retracted_is_refused(nights: Nights) -> None:
    """Without its name on the list the next encode would bring it back."""
    photos = photos_named(nights.opened, ["new.jpg"])
    with pytest.raises(UsageError, match=r"photo new\.jpg is not retracted"):
        purge(nights.opened, photos)


@pytest.mark.parametrize("files", ["embeddings/*/*/p*.parquet", "segments/*/p*.parquet", "segments/*/c*.npy"])
def test_a_damaged_table_is_named_with_what_mends_it(nights: Nights, retracted, files: str) -> None:
    """Nobody knows whom it names."""
    photos = retracted("new.jpg")
    for path in nights.store.glob(files):
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactRefusedError, match=r" is damaged .*; `firstseen repair` mends"):
        purge(nights.opened, photos)


def test_a_damaged_table_is_refused(nights: Nights, retracted) -> None:
    """What is written anew gets a new digest: damage would be sound ever after."""
    photos = retracted("new.jpg")
    for path in nights.store.glob("embeddings/*/*/part-*.parquet"):
        data = bytearray(path.read_bytes())
        data[40] ^= 1
        path.write_bytes(data)
    with pytest.raises((FirstseenError, OSError)):
        purge(nights.opened, photos)
