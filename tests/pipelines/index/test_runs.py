"""Which runs an index holds: those that follow each other, without those left out, and nothing twice."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.store.files import Store
from foundation.store.rollback import roll_back
from foundation.store.runs import Run, run_path
from foundation.store.segments import VECTORS, segment_directory
from foundation.store.snapshots import live_snapshot, read_snapshot
from pipelines.index.job import build_index
from pipelines.index.plan import IndexOptions
from tests.builders import add_encoder, add_run, unit_vectors
from tests.nights import Found, Nights
from tests.old_stores import as_version_2, describe_as_version_2

DIMENSION = 4


def photos(archive: str = "archive", **numbers: int) -> set[Found]:
    """Returns what is found of an archive: photo_ids without suffix, and their pictures."""
    return {Found(archive, f"{name}.jpg", number) for name, number in numbers.items()}


@pytest.fixture
def two(nights: Nights) -> tuple[Nights, Run]:
    """Two photos that are live, and a run that waits: one photo went and one came."""
    nights.put("a.jpg", 0)
    nights.put("b.jpg", 1)
    nights.night()
    nights.path("a.jpg").unlink()
    nights.put("c.jpg", 2)
    return nights, nights.encode().run


def test_the_same_contents_again_add_no_rows(nights: Nights) -> None:
    """Two jobs embedded the same photos at the same time: the second segment says where they lie, and no more."""
    for archive in ("one", "two"):
        nights.put("a.jpg", 0, archive=archive)
    first = nights.encode("one").run
    path = nights.store.local_root / run_path(first.encoder_id, first.run_id)
    path.rename(path.with_suffix(".away"))
    # As if the first one were still at work.
    second = nights.encode("two").run
    nights.index()
    path.with_suffix(".away").rename(path)
    assert (sum(first.rows.values()), sum(second.rows.values())) == (1, 1)
    (segment,) = nights.index().added
    assert (segment.rows, segment.photos, segment.changes) == (0, 1, 1)
    assert nights.found() == photos("one", a=0) | photos("two", a=0)


def test_changes_alone_are_a_segment_that_answers(two: tuple[Nights, Run]) -> None:
    """It has no row and no vector, and hides what went; without anything to say there is none."""
    nights, _ = two
    nights.index()
    nights.path("c.jpg").unlink()
    nights.encode()
    (segment,) = nights.index().added
    assert (segment.rows, segment.kind, segment.recall_at_10) == (0, "exact", 1.0)
    vectors = np.load(nights.store.local_root / segment_directory(segment.segment_id) / VECTORS)
    assert vectors.shape == (0, DIMENSION)
    assert nights.found() == photos(b=1)
    nights.put("b.jpg", 1)
    nights.encode()
    result = nights.index()
    assert (result.is_new, result.added, result.snapshot.number) == (True, [], 4)


def test_photos_that_get_local_features_later_are_held_again(nights: Nights) -> None:
    """They were encoded without any first; a third encoding finds nothing to do."""
    nights.put("a.jpg", 0)
    nights.put("copy.jpg", 0, archive="other")
    nights.night()
    assert live_snapshot(nights.store).segments[0].rows == 1
    result = nights.encode(check="hash", features="local")
    assert result.accounting.embedded == 1
    (segment,) = nights.index().added
    assert (segment.rows, segment.has_all_features) == (1, True)
    assert nights.encode("other", features="local").accounting.duplicates == 1
    nights.index()
    assert nights.found() == photos(a=0) | photos("other", copy=0)
    assert nights.encode(check="hash", features="local").accounting.unchanged == 1


def test_a_run_is_left_out_until_it_is_taken_up(two: tuple[Nights, Run]) -> None:
    """Now and later, and the snapshot names it; the archive is as it was before."""
    nights, run = two
    left = nights.index(leave_out=(run.run_id,))
    assert (left.is_new, left.added, left.snapshot.number) == (True, [], 2)
    for _ in range(2):
        assert nights.found() == photos(a=0, b=1)
        assert live_snapshot(nights.store).left_out == [run.run_id]
        assert not nights.index().is_new
    taken = nights.index(take_up=(run.run_id,))
    assert (taken.snapshot.left_out, len(taken.added)) == ([], 1)
    assert nights.found() == photos(b=1, c=2)


def test_a_run_is_left_out_of_the_first_index(nights: Nights) -> None:
    """There is no snapshot yet that could say so."""
    nights.put("a.jpg", 0, archive="good")
    nights.put("b.jpg", 1, archive="bad")
    nights.encode("good")
    bad = nights.encode("bad").run.run_id
    assert nights.index(leave_out=(bad,)).snapshot.left_out == [bad]
    assert nights.found() == photos("good", a=0)
    assert not nights.index().is_new


def test_an_archive_goes_on_without_the_run_that_was_left_out(two: tuple[Nights, Run]) -> None:
    """The next run is relative to the one before, and says all that changed since."""
    nights, run = two
    nights.index(leave_out=(run.run_id,))
    nights.decoded.clear()
    result = nights.encode()
    assert (result.accounting.embedded, result.accounting.removed, len(nights.decoded)) == (1, 1, 1)
    nights.index()
    assert nights.found() == photos(b=1, c=2)
    # The one that was left out does not follow what is live any more.
    assert nights.index(take_up=(run.run_id,)).added == []
    assert nights.found() == photos(b=1, c=2)


def test_a_rollback_leaves_out_what_came_after(two: tuple[Nights, Run]) -> None:
    """And keeps what was left out; an index takes nothing of it up, and an operator can."""
    nights, second = two
    nights.index()
    nights.put("d.jpg", 3)
    third = nights.night().run
    rolled = roll_back(nights.store, 1)
    assert rolled.left_out == sorted([second.run_id, third.run_id])
    assert not nights.index().is_new
    assert nights.found() == photos(a=0, b=1)
    taken = nights.index(take_up=(second.run_id,))
    assert taken.snapshot.left_out == [third.run_id]
    assert nights.found() == photos(b=1, c=2)
    nights.index(take_up=(third.run_id,))
    assert nights.found() == photos(b=1, c=2, d=3)
    assert roll_back(nights.store, 2).left_out == [third.run_id]
    assert nights.found() == photos(b=1, c=2)


def test_what_was_left_out_stays_so_when_another_encoder_takes_over_and_back(two: tuple[Nights, Run]) -> None:
    """Neither the index that switches back takes it up, nor an encode in between relies on it."""
    nights, second = two
    nights.index(leave_out=(second.run_id,))
    other = add_encoder(nights.store, recipe="other")
    nights.encode(encoder=other)
    assert nights.index(encoder=other).snapshot.left_out == [second.run_id]
    assert nights.encode(encoder=second.encoder_id).run.previous == second.previous
    nights.path("c.jpg").unlink()
    assert nights.encode(encoder=second.encoder_id).run.previous != second.run_id
    assert nights.index(encoder=second.encoder_id).snapshot.left_out == [second.run_id]
    assert nights.found() == photos(b=1)


def test_photos_found_before_a_rollback_are_embedded_once(two: tuple[Nights, Run]) -> None:
    """Their vectors are not in the snapshot that is live again: the next run makes them anew, and they are found."""
    nights, _ = two
    nights.index()
    roll_back(nights.store)
    nights.night()
    assert nights.found() == photos(b=1, c=2)


def test_a_run_that_is_live_cannot_be_left_out(nights: Nights) -> None:
    """Its photos would be found as before; the line says how to go back, and nothing is published."""
    nights.put("a.jpg", 0)
    first = nights.night().run
    nights.put("b.jpg", 1)
    second = nights.night().run
    with pytest.raises(UsageError, match=rf"^run {second.run_id} is live in snapshot 2; .* `firstseen rollback --to"):
        nights.index(leave_out=(second.run_id,))
    assert live_snapshot(nights.store) == read_snapshot(nights.store, 2)
    roll_back(nights.store, 1)
    nights.index(leave_out=(second.run_id,))
    with pytest.raises(UsageError, match=first.run_id):
        nights.index(leave_out=(first.run_id,))


@pytest.mark.parametrize("option", ["leave_out", "take_up"])
def test_a_run_that_there_is_not_cannot_be_named(two: tuple[Nights, Run], option: str) -> None:
    """A misspelt name would be passed over in silence."""
    with pytest.raises(InputNotFoundError, match="has no run nope; `firstseen status"):
        two[0].index(**{option: ("nope",)})
    assert read_snapshot(two[0].store).number == 1


def damage(nights: Nights, run: Run) -> None:
    """Cuts the description of a run."""
    path = nights.store.local_root / run_path(run.encoder_id, run.run_id)
    path.write_bytes(path.read_bytes()[:100])


def test_a_damaged_run_that_waits_stands_in_nobodys_way(two: tuple[Nights, Run]) -> None:
    """Others are indexed, and it is named; its own archive is encoded again from where it stood."""
    nights, run = two
    damage(nights, run)
    nights.put("o.jpg", 7, archive="other")
    nights.encode("other")
    assert list(nights.index().damaged) == [run.run_id]
    assert nights.found() == photos(a=0, b=1) | photos("other", o=7)
    assert nights.encode().accounting.embedded == 1
    nights.index()
    assert nights.found() == photos(b=1, c=2) | photos("other", o=7)


def test_a_run_that_is_live_and_damaged_is_named(two: tuple[Nights, Run]) -> None:
    """What changed since cannot be told: a run from the beginning would never be indexed. A rollback goes on."""
    nights, run = two
    nights.index()
    damage(nights, run)
    nights.put("o.jpg", 7, archive="other")
    nights.night("other")
    with pytest.raises(ArtifactRefusedError, match=rf"run {run.run_id}, up to which snapshot 3 knows file:.*rollback"):
        nights.encode()
    roll_back(nights.store, 1)
    nights.night()
    assert nights.found() == photos(b=1, c=2)


def test_a_damaged_shard_that_waits_names_the_way_out(two: tuple[Nights, Run]) -> None:
    """Nobody knows what it holds: without its run the index and the next encoding go on."""
    nights, run = two
    (shard,) = run.shards
    (nights.store.local_root / run.directory / shard).write_bytes(b"PAR1")
    nights.put("o.jpg", 7, archive="other")
    with pytest.raises(ArtifactRefusedError, match=rf"{shard} is damaged .*`firstseen index --leave-out {run.run_id}`"):
        nights.encode("other")
    with pytest.raises(ArtifactRefusedError, match=rf"{shard} is damaged"):
        nights.index()
    nights.index(leave_out=(run.run_id,))
    nights.night("other")
    nights.night()
    assert nights.found() == photos(b=1, c=2) | photos("other", o=7)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Store, str]:
    """A store with the description of one encoder."""
    store = Store(tmp_path / "store", create=True)
    return store, add_encoder(store, dimension=DIMENSION)


@pytest.fixture
def add(made: tuple[Store, str]) -> Callable[..., Run]:
    """A function that writes a run of the archive `a` as version 2 did, with photos named after it."""
    store, encoder_id = made

    def add_old(run_id: str, photos: int, *, prefix: str = "") -> Run:
        run = add_run(store, encoder_id, run_id, unit_vectors(photos, DIMENSION), prefix=prefix, archive="a")
        describe_as_version_2(store, run)
        return run

    return add_old


def test_runs_of_an_older_version_are_indexed_in_their_order(made: tuple[Store, str], add: Callable[..., Run]) -> None:
    """The last one is how the archive stands, and the photos of all are held: each is the whole archive."""
    store, _ = made
    add("20240101T000000Z-b", 3)
    add("20240102T000000Z-a", 2, prefix="x")
    result = build_index(store)
    assert result.snapshot.archives["a"].run_id == "20240102T000000Z-a"
    assert result.snapshot.photos == 2
    assert sum(segment.rows for segment in result.added) == 5


def test_segments_of_an_older_version_are_built_anew(made: tuple[Store, str], add: Callable[..., Run]) -> None:
    """Once; of a run that cannot be read nothing is lost in silence."""
    store, _ = made
    first, second = add("20240101T000000Z-a", 3), add("20240102T000000Z-a", 2, prefix="x")
    build_index(store)
    as_version_2(store)
    path = store.local_root / run_path(first.encoder_id, first.run_id)
    whole = path.read_bytes()
    path.write_bytes(b"{}")
    with pytest.raises(
        ArtifactRefusedError, match=rf"of run {first.run_id} run\.json is missing or damaged; .*--leave"
    ):
        build_index(store)
    path.write_bytes(whole)
    result = build_index(store)
    assert [segment.names_archives for segment in result.added] == [True]
    assert result.snapshot.archives["a"].run_id == second.run_id
    assert [one.rows for one in result.snapshot.segments] == [5]
    assert not build_index(store).is_new


def test_old_segments_are_lost_run_by_run_only_when_asked_to(made: tuple[Store, str], add: Callable[..., Run]) -> None:
    """Whoever leaves the damaged run out keeps the others."""
    store, _ = made
    first = add("20240101T000000Z-a", 3)
    add("20240102T000000Z-a", 2, prefix="x")
    build_index(store)
    as_version_2(store)
    (store.local_root / run_path(first.encoder_id, first.run_id)).write_bytes(b"{}")
    result = build_index(store, options=IndexOptions(leave_out=(first.run_id,)))
    assert [segment.rows for segment in result.added] == [2]
