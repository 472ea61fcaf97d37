"""Collecting garbage: what nobody needs goes, and whatever happens nothing else."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.store import gc, lookups
from foundation.store.chains import read_runs, waiting_runs
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.gc import GcOptions, GcResult, collect_garbage
from foundation.store.ignored import add_ignored, thumbnail_path
from foundation.store.lookups import begin_lookup
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.rollback import roll_back
from foundation.store.runs import EMBEDDINGS
from foundation.store.segments import SEGMENTS, read_segment, segment_directory, segment_path
from foundation.store.snapshots import live_snapshot, publish, read_snapshot, snapshot_numbers, snapshot_path
from foundation.store.unfinished import begin_run
from pipelines.compact.job import compact_all
from pipelines.index import job
from serving.search.segment import open_segment
from tests.builders import add_encoder, add_run, content, snapshot, unit_vectors
from tests.nights import Nights, make_nights

HOUR = 3_600


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """An empty store, and archives beside it that are encoded in milliseconds."""
    return make_nights(tmp_path, monkeypatch)


def age(store: Store, *, hours: float = 100) -> None:
    """Makes every file and directory of the store so old."""
    at = time.time() - hours * HOUR
    for path in store.local_root.rglob("*"):
        os.utime(path, (at, at))


def paths(store: Store) -> list[str]:
    """Returns every file of the store."""
    return [file.path for file in store.walk()]


def collect(store: Store, **options) -> GcResult:
    """Collects the garbage of a store in which everything is old."""
    age(store)
    return collect_garbage(store, GcOptions(**options))


def went(result: GcResult) -> list[str]:
    """Returns what went, by kind."""
    return sorted(one.what for one in result.removals)


def five_nights(nights: Nights) -> None:
    """Adds a photo each night, and compacts after the fourth one."""
    for number in range(5):
        nights.put(f"{number}.jpg", number)
        nights.night()
        if number == 3:
            compact_all(nights.store)


def test_what_no_kept_snapshot_names_goes(nights: Nights):
    """Older snapshots, and segments that were merged; runs stay, since the merged segment's rows come from them."""
    five_nights(nights)
    before, runs = nights.found(), nights.store.directories(f"{EMBEDDINGS}/{live_snapshot(nights.store).encoder_id}")
    size = sum(file.size_bytes for file in nights.store.walk())
    result = collect(nights.store, keep=2)
    assert went(result) == ["segment"] * 4 + ["snapshot"] * 4
    assert snapshot_numbers(nights.store) == result.snapshots == [5, 6]
    assert nights.found() == before
    assert result.kept_bytes == sum(file.size_bytes for file in nights.store.walk())
    assert result.removed_bytes == size - result.kept_bytes > 0
    assert nights.store.directories(f"{EMBEDDINGS}/{live_snapshot(nights.store).encoder_id}") == runs
    assert not collect(nights.store, keep=2).removals
    roll_back(nights.store)
    assert len(nights.found()) == 4


def test_a_dry_run_says_the_same_and_does_nothing(nights: Nights):
    """Not even the clock of the store is asked."""
    five_nights(nights)
    age(nights.store)
    before = nights.store.walk()
    dry = collect_garbage(nights.store, GcOptions(keep=2, dry_run=True))
    assert nights.store.walk() == before
    assert collect_garbage(nights.store, GcOptions(keep=2)) == dry


def test_five_snapshots_are_kept_if_nobody_says_how_many(nights: Nights):
    """All that they name with them."""
    five_nights(nights)
    assert went(collect(nights.store)) == ["snapshot"]
    assert snapshot_numbers(nights.store) == [2, 3, 4, 5, 6]
    verify_all(nights.store)


def test_what_was_begun_and_never_finished_goes(nights: Nights):
    """An export and a watched query without descriptions, a thumbnail without an entry; those that are named stay."""
    five_nights(nights)
    kept = add_ignored(nights.store, name="logo", content_sha256=content(1), size=(1, 1), thumbnail=b"logo", why="")
    for path in ("encoders/killed/saved_model.pb", "watched/killed/frame.jpg", "ignored/killed.jpg"):
        nights.store.create(path, b"killed")
    orphans = ["thumbnail of no ignored photo", "unfinished encoder", "unfinished watched query"]
    assert went(collect(nights.store, keep=9, drop_encoders=("killed",))) == orphans
    assert [path for path in paths(nights.store) if "killed" in path] == []
    assert nights.store.exists(thumbnail_path(kept.photo))
    nights.store.create("ignored/killed.jpg", b"killed")
    (nights.store.local_root / "ignored" / "1.json").write_bytes(b"{")
    live = live_snapshot(nights.store).encoder_id
    nights.store.delete([f"encoders/{live}/encoder.json"])
    assert went(collect(nights.store, keep=9)) == []


def test_a_lookup_at_work_keeps_its_snapshot(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    """And all of its own; once its process is gone, both go."""
    five_nights(nights)
    begin_lookup(nights.store, "a", snapshot=2)
    nights.store.create("lookups/a/answers/1", b"x")
    assert went(collect(nights.store, keep=2)) == ["segment"] * 2 + ["snapshot"] * 3
    assert snapshot_numbers(nights.store) == [2, 5, 6]
    verify_all(nights.store)
    monkeypatch.setattr(lookups, "is_at_work", lambda begun: False)
    assert went(collect(nights.store, keep=2)) == ["segment"] * 2 + ["snapshot", "unfinished lookup"]
    assert nights.store.directories("lookups") == []


def test_a_lookup_that_was_cut_off_lately_keeps_its_snapshot(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    """The same command again goes on with it, or another machine is at it."""
    five_nights(nights)
    monkeypatch.setattr(lookups, "is_at_work", lambda begun: False)
    age(nights.store)
    begin_lookup(nights.store, "a", snapshot=2)
    collect_garbage(nights.store, GcOptions(keep=1))
    assert {2, 6} <= {*snapshot_numbers(nights.store)}
    assert nights.store.directories("lookups") == ["a"]


def verify_all(store: Store) -> None:
    """Checks every byte that the snapshots name, but for the encoder's, which are made up."""
    for number in snapshot_numbers(store):
        for reference in read_snapshot(store, number).segments:
            with open_segment(store, read_segment(store, reference)):
                pass


def test_what_waits_to_be_indexed_stays(nights: Nights):
    """Runs of the live encoder, and all of an encoder that is not live yet."""
    five_nights(nights)
    nights.put("later.jpg", 10)
    waiting = nights.encode().run
    other = add_encoder(nights.store, recipe="other")
    add_run(nights.store, other, "run1", unit_vectors(3, 4))
    collect(nights.store, keep=1)
    nights.index()
    assert waiting.run_id in live_snapshot(nights.store).archives[waiting.archive].run_id
    assert nights.store.directories(f"{EMBEDDINGS}/{other}") == ["run1"]


def test_runs_that_others_took_the_place_of_go(nights: Nights):
    """Of two encodes at the same time the index takes the later: nobody names the other one, nor waits for it."""
    nights.put("a.jpg", 1)
    first = nights.night().run
    for run_id in ("run1", "run2"):
        add_run(
            nights.store,
            first.encoder_id,
            run_id,
            unit_vectors(1, 4),
            archive=first.archive,
            previous=first.run_id,
            generation=2,
            prefix="z",
        )
    runs = read_runs(nights.store, first.encoder_id).finished
    assert [one.run.run_id for one in waiting_runs(runs, live_snapshot(nights.store))] == ["run2"]
    result = collect(nights.store)
    assert [one.path for one in result.removals] == [f"{EMBEDDINGS}/{first.encoder_id}/run1"]


def test_runs_that_a_rollback_left_out_stay_as_long_as_it_says_so(nights: Nights):
    """They can be taken up again, unless they are dropped."""
    nights.put("a.jpg", 1)
    nights.night()
    nights.put("b.jpg", 2)
    left_out = nights.night().run.run_id
    roll_back(nights.store, 1)
    collect(nights.store, keep=1)
    assert not nights.index().is_new
    assert len(nights.index(take_up=(left_out,)).snapshot.segments) == 2
    assert len(nights.found()) == 2
    roll_back(nights.store, 3)
    assert "run" in went(collect(nights.store, keep=1, drop_left_out=True))
    assert len(nights.found()) == 1


def test_a_snapshot_that_was_live_lately_stays(nights: Nights):
    """An encode may compare with its segments, a reader answer from it; once a day has passed, nobody does."""
    five_nights(nights)
    age(nights.store)
    now = time.time()
    for number, hours in ((3, 30), (4, 20), (5, 2), (6, 1)):
        at = now - hours * HOUR
        os.utime(nights.store.local_root / snapshot_path(number), (at, at))
    assert collect_garbage(nights.store, GcOptions(keep=1, dry_run=True)).snapshots == [3, 4, 5, 6]
    assert collect_garbage(nights.store, GcOptions(keep=1, grace_hours=1.5)).snapshots == [5, 6]
    verify_all(nights.store)


def test_retractions_and_encoders_stay(nights: Nights):
    """What was withdrawn must be known for ever; an encoder that is in use nowhere may be one to come."""
    five_nights(nights)
    other = add_encoder(nights.store, recipe="other")
    add_retraction(nights.store, [RetractedPhoto(archive="a", photo_id="p", content_sha256=content(1).hex())], why="x")
    result = collect(nights.store, keep=1)
    assert nights.store.files("retractions") == ["1.json"]
    assert other in nights.store.directories("encoders")
    assert list(result.unused_encoders) == [other]


def test_an_encoder_goes_only_when_it_is_named(nights: Nights):
    """With its runs; not one that a kept snapshot names, nor one that is not there."""
    five_nights(nights)
    live = live_snapshot(nights.store).encoder_id
    other = add_encoder(nights.store, recipe="other")
    add_run(nights.store, other, "run1", unit_vectors(3, 4))
    with pytest.raises(UsageError, match=f"{live} is that of snapshot 6"):
        collect(nights.store, drop_encoders=(live,))
    with pytest.raises(InputNotFoundError, match="no encoder 'x'"):
        collect(nights.store, drop_encoders=("x",))
    assert went(collect(nights.store, drop_encoders=(other,))) == ["encoder", "run", "snapshot"]
    assert not any(other in path for path in paths(nights.store))


def test_a_segment_that_is_not_published_yet_survives(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    """An index at work has written it a minute ago, and publishes it after gc."""
    nights.put("a.jpg", 1)
    nights.night()
    nights.put("b.jpg", 2)
    nights.encode()
    age(nights.store)
    held: list[GcResult] = []
    original = job.publish

    def publish_after_gc(store: Store, made) -> None:
        held.append(collect_garbage(store, GcOptions(keep=1)))
        original(store, made)

    monkeypatch.setattr(job, "publish", publish_after_gc)
    nights.index()
    assert [one.removals for one in held] == [[]]
    assert len(nights.found()) == 2


def test_without_grace_what_is_not_published_goes(nights: Nights):
    """That is what the grace period is for."""
    nights.put("a.jpg", 1)
    nights.night()
    store = nights.store
    store.create(f"{SEGMENTS}/new/segment.json", b"{}")
    assert not collect_garbage(store, GcOptions()).removals
    assert went(collect_garbage(store, GcOptions(grace_hours=0))) == ["segment"]


def test_a_run_whose_process_is_alive_stays(nights: Nights):
    """However long ago it wrote its last file; one whose process is gone goes, with all that it wrote."""
    nights.put("a.jpg", 1)
    run = nights.night().run
    alive = replace(run, run_id="alive")
    begin_run(nights.store, alive)
    nights.store.create(f"{alive.directory}/part-1.parquet", b"x")
    assert not collect(nights.store).removals
    begun = nights.store.local_root / alive.directory / "begun.json"
    begun.write_text(begun.read_text().replace(f'"process": {os.getpid()}', '"process": 999999999'))
    result = collect(nights.store)
    assert (went(result), [one.path for one in result.removals]) == (["unfinished run"], [alive.directory])
    assert not (nights.store.local_root / alive.directory).exists()


def test_leftovers_of_what_stays_go(nights: Nights):
    """Files that run.json and segment.json do not list, builds, and directories without a file."""
    nights.put("a.jpg", 1)
    run = nights.night().run
    segment = segment_directory(live_snapshot(nights.store).segments[0].segment_id)
    left = [
        f"{run.directory}/outcomes/1.parquet",
        f"{run.directory}/begun.json",
        f"{segment}/photos.parquet#1",
        "builds/b.json",
    ]
    before = paths(nights.store)
    for path in left:
        (nights.store.local_root / path).parent.mkdir(parents=True, exist_ok=True)
        (nights.store.local_root / path).write_bytes(b"x")
    (nights.store.local_root / "segments/empty/local").mkdir(parents=True)
    result = collect(nights.store)
    assert went(result) == ["build", "leftovers of run", "leftovers of segment"]
    assert paths(nights.store) == before
    assert not (nights.store.local_root / "segments/empty").exists()
    assert not (nights.store.local_root / run.directory / "outcomes").exists()


def test_a_new_empty_directory_stays(nights: Nights):
    """Somebody may be about to write into it."""
    nights.put("a.jpg", 1)
    nights.night()
    age(nights.store)
    (nights.store.local_root / "segments/new").mkdir()
    collect_garbage(nights.store)
    assert (nights.store.local_root / "segments/new").exists()


@pytest.mark.parametrize("number", [4, 6])
@pytest.mark.parametrize("damage", ["snapshot", "segment", "missing"])
def test_a_damaged_snapshot_that_is_kept_stops_everything(nights: Nights, number: int, damage: str):
    """Nobody knows what it needs: exit code 5, its number, and nothing was deleted."""
    five_nights(nights)
    path = nights.store.local_root / snapshot_path(number)
    if damage != "snapshot":
        path = nights.store.local_root / segment_path(read_snapshot(nights.store, number).segments[-1].segment_id)
    path.unlink() if damage == "missing" else path.write_bytes(b"{}")
    before = paths(nights.store)
    with pytest.raises(ArtifactRefusedError, match="is to be kept and cannot be read") as refused:
        collect(nights.store, keep=3)
    assert refused.value.exit_code == 5
    assert paths(nights.store) == before
    if number == 4:
        assert "without snapshot 4: --keep 2" in str(refused.value)
        collect(nights.store, keep=2)
        assert snapshot_numbers(nights.store) == [5, 6]


def test_a_damaged_run_is_left_alone(nights: Nights):
    """It may be restored, and what it needs is not known."""
    five_nights(nights)
    encoder_id = live_snapshot(nights.store).encoder_id
    add_run(nights.store, encoder_id, "damaged", unit_vectors(2, 4))
    (nights.store.local_root / f"{EMBEDDINGS}/{encoder_id}/damaged/run.json").write_bytes(b"{")
    collect(nights.store, keep=1)
    assert "damaged" in nights.store.directories(f"{EMBEDDINGS}/{encoder_id}")


def test_where_an_amendment_is_damaged_runs_stay_whole(nights: Nights):
    """It may name files that no run seems to list."""
    nights.put("a.jpg", 1)
    run = nights.night().run
    nights.store.create(f"{run.directory}/part-mended.parquet", b"x")
    nights.store.create("amendments/1.json", b"{")
    assert not collect(nights.store).removals
    nights.store.delete(["amendments/1.json"])
    assert went(collect(nights.store)) == ["leftovers of run"]


def test_what_was_cut_off_is_finished_by_the_next_one(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    """Wherever it stops, the store answers on, and in the end the same is left."""
    five_nights(nights)
    found, made = nights.found(), nights.store.local_root
    whole = Store(shutil.copytree(made, nights.folder / "whole"))
    collect(whole, keep=1)
    delete = Store.delete
    for most in range(12):
        nights.store = Store(shutil.copytree(made, nights.folder / f"copy{most}"))
        left = iter(range(most))

        def stopping(store: Store, paths: list[str], left: Iterator[int] = left) -> None:
            for path in paths:
                if not path.endswith(".clock") and next(left, None) is None:
                    raise KeyboardInterrupt
                delete(store, [path])

        monkeypatch.setattr(Store, "delete", stopping)
        with pytest.raises(KeyboardInterrupt):
            collect(nights.store, keep=1)
        monkeypatch.setattr(Store, "delete", delete)
        assert nights.found() == found
        collect(nights.store, keep=1)
        assert paths(nights.store) == paths(whole)


def test_a_rollback_meanwhile_is_not_pulled_away_from_under(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    """A snapshot that is published while older ones go is kept, with its segments."""
    five_nights(nights)
    look = gc._look

    def slow(store: Store, options: GcOptions):
        found = look(store, options)
        roll_back(store, 2)
        return found

    age(nights.store)
    monkeypatch.setattr(gc, "_look", slow)
    assert collect_garbage(nights.store, GcOptions(keep=1)).snapshots == [6, 7]
    assert len(nights.found()) == 2


def test_a_clock_that_is_wrong_here_removes_nothing(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    """Files are as old as the clock says that wrote their times: that of the store."""
    nights.put("a.jpg", 1)
    nights.night()
    nights.store.create(f"{SEGMENTS}/new/segment.json", b"{}")

    class Tomorrow(gc.datetime):
        @classmethod
        def now(cls, zone=None):
            return super().now(zone) + gc.timedelta(days=30)

    monkeypatch.setattr(gc, "datetime", Tomorrow)
    assert not collect_garbage(nights.store).removals


def test_an_empty_store_is_left_as_it_is(tmp_path: Path):
    """There is nothing to do, and nothing to fail at."""
    store = Store(tmp_path / "store", create=True)
    assert collect_garbage(store) == GcResult([], [], 0, {})


@pytest.mark.parametrize("options", [{"keep": 0}, {"grace_hours": -1}])
def test_options_out_of_range_are_refused(options: dict):
    """The live snapshot always stays."""
    with pytest.raises(UsageError, match="expected at least"):
        GcOptions(**options)


def test_a_bucket_is_collected_by_its_listing(bucket: str):
    """Files go in bulk; a young one keeps its directory, by the bucket's own clock."""
    store = Store(bucket)
    encoder_id = add_encoder(store)
    _, digest = read_spec(store, encoder_id)
    for number in range(1, 4):
        publish(store, snapshot(number, encoder_id=encoder_id, encoder_digest=digest))
    for number in range(30):
        store.create(f"{SEGMENTS}/old/{number}", b"x" * 10)
    assert went(collect_garbage(store, GcOptions(keep=2))) == []
    # Times of S3 are whole seconds.
    time.sleep(1.1)
    result = collect_garbage(store, GcOptions(keep=2, grace_hours=0))
    assert went(result) == ["snapshot", "unfinished segment"]
    assert result.removals[-1].size_bytes == 300
    assert snapshot_numbers(store) == [2, 3]
    assert paths(store) == [f"encoders/{encoder_id}/encoder.json", snapshot_path(2), snapshot_path(3)]
