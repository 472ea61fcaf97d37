"""Repair of what one damaged file does not show: several at once, photos that are lost, stores that wait or are old."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from foundation.store.retractions import add_retraction
from foundation.store.rollback import roll_back
from foundation.store.segments import read_segment
from foundation.store.snapshots import live_snapshot, read_snapshot, snapshot_numbers
from foundation.store.verify import verify
from pipelines.compact.job import compact_all
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from pipelines.index.plan import IndexOptions
from pipelines.repair import job as repair_job
from pipelines.repair.findings import Findings
from pipelines.repair.job import repair
from serving.retract import photos_named
from tests.photos import jpeg, noise
from tests.pipelines.answers import answers, contents_of
from tests.pipelines.repair.test_every_file import flip
from tests.pipelines.two_nights import Nights, run_night

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture
def own(nights: Nights, tmp_path: Path) -> Nights:
    """Two nights of one archive that the test may change: only it is known to the store."""
    store, archive = tmp_path / "own-store", Path(shutil.copytree(nights.second, tmp_path / "own"))
    shutil.copytree(nights.store, store, ignore=shutil.ignore_patterns("embeddings", "segments", "snapshots"))
    run_night(store, archive)
    (archive / "more.jpg").write_bytes(jpeg(noise(70)))
    shutil.copy(archive / "more.jpg", archive / "twin.jpg")
    run_night(store, archive)
    return Nights(store, archive, nights.second)


def lose_content(store: Path) -> None:
    """Loses the newest segment and the shard that it was built from."""
    segment = read_segment(Store(store), read_snapshot(Store(store)).segments[-1])
    (store / "segments" / segment.segment_id / "vectors.npy").unlink()
    for shard in segment.shards:
        (store / shard).unlink()


def test_photos_that_nothing_holds_any_more_are_read_again(own: Nights) -> None:
    """Those alone: no other photo of the archive is read, embedded or listed anew."""
    contents = contents_of(own.store)
    before = answers(own.store, contents)
    lose_content(own.store)
    (own.archive / "unseen.jpg").write_bytes(jpeg(noise(71)))
    result = repair(own.opened)
    assert sorted(one.photo_id for one in result.lost) == ["more.jpg", "twin.jpg"]
    assert result.still_lost == []
    assert answers(own.store, contents) == before
    assert read_snapshot(own.opened).photos == before[b"counts"][0]
    verify(own.opened)


def test_a_photo_that_is_gone_is_named_and_comes_back_with_its_file(own: Nights) -> None:
    """What else there is stays; the next night that finds the photo again indexes it."""
    contents = contents_of(own.store)
    before = answers(own.store, contents)
    lose_content(own.store)
    saved = (own.archive / "more.jpg").read_bytes()
    for name in ("more.jpg", "twin.jpg"):
        (own.archive / name).unlink()
    result = repair(own.opened)
    assert sorted(one.photo_id for one in result.still_lost) == ["more.jpg", "twin.jpg"]
    assert "2 photos could not be read, and are left out" in result.done
    verify(own.opened)
    after = answers(own.store, contents)
    assert after.keys() < before.keys()
    assert {key: after[key] for key in after if key != b"counts"} == {
        key: before[key] for key in after if key != b"counts"
    }
    for name in ("more.jpg", "twin.jpg"):
        (own.archive / name).write_bytes(saved)
    run_night(own.store, own.archive)
    assert answers(own.store, contents) == before


def test_an_archive_that_is_gone_loses_nothing_else(own: Nights) -> None:
    """Its photos that can be found are found, and those that were lost are named."""
    lose_content(own.store)
    shutil.rmtree(own.archive)
    result = repair(own.opened)
    assert len(result.still_lost) == 2
    assert read_snapshot(own.opened).photos >= 4
    verify(own.opened)


def test_removed_photos_do_not_come_back_from_old_shards(nights: Nights) -> None:
    """A compaction dropped their last traces from the segments; the shards still have them."""
    contents = contents_of(nights.store)
    before = answers(nights.store, contents)
    compact_all(nights.opened)
    assert answers(nights.store, contents) == before
    (one,) = read_snapshot(nights.opened).segments
    flip(nights.store / "segments" / one.segment_id / "photos.parquet")
    repair(nights.opened)
    assert answers(nights.store, contents) == before
    verify(nights.opened)


@pytest.mark.parametrize("part", ["inventory.parquet", "run.json"])
def test_what_changes_after_an_inventory_was_lost_is_seen(own: Nights, part: str) -> None:
    """The next night follows what the segments said, and counts more than they do: a photo goes, and another moves."""
    (own.archive / "latest.jpg").write_bytes(jpeg(noise(73)))
    run_night(own.store, own.archive)
    (state,) = read_snapshot(own.opened).archives.values()
    next(own.store.glob(f"embeddings/*/{state.run_id}/{part}")).unlink()
    repair(own.opened)
    for name in ("more.jpg", "latest.jpg"):
        (own.archive / name).unlink()
    (own.archive / "copy.jpg").rename(own.archive / "moved.jpg")
    run_night(own.store, own.archive)
    contents = contents_of(own.store)
    found = [
        one.photo_id for key, answer in answers(own.store, contents).items() if key != b"counts" for one in answer[0]
    ]
    assert {"twin.jpg", "moved.jpg"} <= set(found)
    assert not {"more.jpg", "latest.jpg", "copy.jpg"} & set(found)
    assert read_snapshot(own.opened).photos == 5


def test_a_segment_is_built_again_that_finds_as_little_as_it_did(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that was built with a lower --min-recall can be mended."""
    asked: list[IndexOptions] = []
    finding, building = repair_job.find_damage, repair_job.build

    def find(store: Store, **options) -> Findings:
        findings = finding(store, **options)
        findings.segments = {name: replace(one, recall_at_10=0.9) for name, one in findings.segments.items()}
        return findings

    monkeypatch.setattr(repair_job, "find_damage", find)
    monkeypatch.setattr(
        repair_job, "build", lambda *_, **named: asked.append(named["options"]) or building(*_, **named)
    )
    segment = read_snapshot(nights.opened).segments[0].segment_id
    flip(nights.store / "segments" / segment / "photos.parquet")
    repair(nights.opened, options=IndexOptions(min_recall=0.97))
    assert [one.min_recall for one in asked] == [0.9]


def test_retracted_contents_are_not_built_again(nights: Nights) -> None:
    """They are honoured as an index does."""
    photos = photos_named(nights.opened, ["new.jpg"])
    add_retraction(nights.opened, photos, why="a court order")
    (first, second, *_) = read_snapshot(nights.opened).segments
    for one in (first, second):
        flip(nights.store / "segments" / one.segment_id / "segment.json")
    result = repair(nights.opened)
    content = bytes.fromhex(photos[0].content_sha256)
    assert result.lost == []
    assert content not in answers(nights.store, contents_of(nights.store))
    verify(nights.opened)


def test_an_inventory_and_a_segment_may_be_lost_at_once(nights: Nights) -> None:
    """The segments alone are asked then: nothing removed comes back, and the next night brings what they lacked."""
    contents = contents_of(nights.store)
    before = answers(nights.store, contents)
    live = read_snapshot(nights.opened)
    for state in live.archives.values():
        next(nights.store.glob(f"embeddings/*/{state.run_id}/inventory.parquet")).unlink()
    (nights.store / "segments" / live.segments[0].segment_id / "vectors.npy").unlink()
    repair(nights.opened)
    verify(nights.opened)
    after = answers(nights.store, contents)
    assert after.keys() <= before.keys()
    for archive in (nights.archive, nights.second):
        run_night(nights.store, archive)
    found = answers(nights.store, contents)
    assert found.keys() == before.keys()
    assert found[b"counts"] == before[b"counts"]


@pytest.mark.parametrize("part", ["part-*.parquet", "changes.parquet", "inventory.parquet", "run.json"])
def test_a_damaged_run_that_waits_is_left_out(own: Nights, part: str) -> None:
    """It stands in the way of an index: now that goes on, and the photos come with the next night."""
    (own.archive / "fresh.jpg").write_bytes(jpeg(noise(72)))
    (own.archive / "more.jpg").unlink()
    waiting = encode(EncodeOptions(archive=str(own.archive), store=str(own.store))).run
    before = read_snapshot(own.opened)
    flip(next((own.store / waiting.directory).glob(part)))
    result = repair(own.opened)
    assert read_snapshot(own.opened).left_out == [waiting.run_id]
    assert any(f"run {waiting.run_id} is left out" in line for line in result.done)
    assert not build_index(own.opened).is_new
    assert read_snapshot(own.opened).photos == before.photos
    run_night(own.store, own.archive)
    assert read_snapshot(own.opened).photos == before.photos
    verify(own.opened)
    assert len(photos_named(own.opened, ["fresh.jpg"])) == 1


def test_a_damaged_run_before_the_first_snapshot_is_given_up(own: Nights) -> None:
    """No snapshot can leave it out: it counts for nothing, and its archive is encoded again."""
    shutil.rmtree(own.store / "snapshots")
    flip(next(own.store.glob("embeddings/*/*/part-*.parquet")))
    repair(own.opened)
    assert live_snapshot(own.opened) is None
    run_night(own.store, own.archive)
    verify(own.opened)
    assert read_snapshot(own.opened).photos == 6


def test_without_any_snapshot_that_can_be_read_all_is_built_anew(own: Nights) -> None:
    """The chains of the runs say it all."""
    contents = contents_of(own.store)
    before = answers(own.store, contents)
    for path in own.store.glob("snapshots/*.json"):
        path.write_bytes(b"{")
    repair(own.opened)
    assert snapshot_numbers(own.opened) == [1, 2, 3]
    assert answers(own.store, contents) == before
    verify(own.opened)


def test_the_newest_whole_snapshot_is_live_again(own: Nights) -> None:
    """What the damaged one held beside it waits for the next index, which takes it up."""
    contents = contents_of(own.store)
    before = answers(own.store, contents)
    flip(own.store / "snapshots" / "2.json")
    for job in (
        lambda: encode(EncodeOptions(archive=str(own.archive), store=str(own.store))),
        lambda: build_index(own.opened),
    ):
        with pytest.raises(ArtifactRefusedError, match=r"snapshots/2\.json .*`firstseen repair`"):
            job()
    assert replace(roll_back(own.opened, 1), number=1).segments == read_snapshot(own.opened, 1).segments
    flip(own.store / "snapshots" / "3.json")
    result = repair(own.opened)
    assert (result.snapshot.number, len(result.waiting)) == (4, 1)
    build_index(own.opened)
    assert answers(own.store, contents) == before


def test_encode_refuses_a_broken_store_before_it_works(own: Nights) -> None:
    """What it encodes could not be published."""
    segment = read_snapshot(own.opened).segments[0].segment_id
    (own.store / "segments" / segment / "photos.parquet").unlink()
    with pytest.raises(ArtifactRefusedError, match=r"photos\.parquet is missing.*`firstseen repair`"):
        encode(EncodeOptions(archive=str(own.archive), store=str(own.store)))


def test_a_damaged_amendment_is_found_out_anew(own: Nights) -> None:
    """What it said is missed again, and written down again."""
    next(iter(own.store.glob("embeddings/*/*/part-*.parquet"))).unlink()
    repair(own.opened)
    (own.store / "amendments" / "1.json").write_bytes(b"{")
    assert repair(own.opened).done
    verify(own.opened)
    assert repair(own.opened).done == []


@pytest.mark.parametrize("version", ["version-1", "version-2"])
def test_a_store_of_an_older_version_is_built_anew(version: str, tmp_path: Path) -> None:
    """Its snapshots name no archive: all segments come from the runs, as with the next index."""
    root = Path(shutil.copytree(GOLDEN / version, tmp_path / "store"))
    root = next(path for path in [root, *root.iterdir()] if (path / "snapshots").is_dir())
    photos = read_snapshot(Store(root)).photos
    flip(next(root.glob("segments/*/photos.parquet")))
    repair(Store(root))
    verify(Store(root))
    assert read_snapshot(Store(root)).photos == photos


def test_a_store_in_a_bucket_is_repaired(own: Nights, bucket: str) -> None:
    """Files are replaced by other ones, and none is written over."""
    store = Store(bucket, create=True)
    for path in own.store.rglob("*"):
        if path.is_file():
            store.create(str(path.relative_to(own.store)), path.read_bytes())
    before = read_snapshot(store)
    store.delete([f"segments/{before.segments[0].segment_id}/photos.parquet"])
    result = repair(store)
    assert len(result.damages) == 1
    assert read_snapshot(store).photos == before.photos
    verify(store)
