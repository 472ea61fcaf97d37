"""Snapshots: numbered, created once, rolled back by one more, and of many publishers exactly one wins."""

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, FirstseenError, InputNotFoundError, PublishRaceLostError
from foundation.store import artifact
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.segments import Segment, SegmentReference, read_segment, segment_path
from foundation.store.snapshots import Snapshot, live_snapshot, publish, read_snapshot, roll_back, snapshot_numbers
from tests.builders import add_encoder, segment, snapshot

PUBLISHERS = 32
ROUNDS = 20


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


@pytest.fixture
def finished(store: Store) -> Callable[..., SegmentReference]:
    """A function that finishes a segment's description and returns the reference to it."""

    def finish(segment_id: str, *, rows: int = 2, photos: int = 3) -> SegmentReference:
        described: Segment = segment(segment_id=segment_id, rows=rows, photos=photos)
        digest = artifact.finish(store, segment_path(segment_id), described)
        return SegmentReference(segment_id=segment_id, digest=digest, rows=rows, photos=photos)

    return finish


def test_a_store_without_snapshots_says_which_verb_publishes_one(store: Store) -> None:
    """Nothing is live: asking for it is an input error, asking whether there is one is not."""
    assert snapshot_numbers(store) == []
    assert live_snapshot(store) is None
    with pytest.raises(InputNotFoundError, match=r"no snapshot yet.*firstseen index --store"):
        read_snapshot(store)


def test_the_highest_number_is_live(store: Store) -> None:
    """By number and not by name: 10 comes after 9, and gaps are no matter."""
    for number in (1, 9, 10, 2):
        publish(store, snapshot(number))
    assert snapshot_numbers(store) == [1, 2, 9, 10]
    assert read_snapshot(store) == live_snapshot(store) == snapshot(10)
    assert read_snapshot(store, 2) == snapshot(2)
    with pytest.raises(InputNotFoundError, match=r"no snapshot 3 in store .* it has 1 to 10"):
        read_snapshot(store, 3)


@pytest.mark.parametrize(
    "name", ["2.json.tmp", "007.json", "x.json", "٣.json", "²3.json", "-1.json", "4.JSON", "5", "9/1"]
)
def test_other_files_do_not_count(store: Store, name: str) -> None:
    """Leftovers, notes and other spellings of a number are no snapshots."""
    publish(store, snapshot(1))
    store.create(f"snapshots/{name}", b"junk")
    assert snapshot_numbers(store) == [1]
    assert read_snapshot(store).number == 1


def test_rows_and_photos_add_up_over_segments(store: Store, finished) -> None:
    """Exact duplicates count as photos."""
    published = snapshot(1, segments=[finished("a", rows=2, photos=5), finished("b", rows=3, photos=3)])
    publish(store, published)
    assert (read_snapshot(store).rows, read_snapshot(store).photos) == (5, 8)


def test_a_snapshot_under_another_number_is_refused(store: Store) -> None:
    """A copied file does not pass for a newer snapshot."""
    store.create("snapshots/7.json", artifact.to_json(snapshot(1)))
    with pytest.raises(ArtifactRefusedError, match=r"snapshots/7\.json says it is snapshot 1"):
        read_snapshot(store)


def test_a_damaged_live_snapshot_is_refused(store: Store) -> None:
    """It is never skipped in favour of an older one: retractions and new photos would be lost in silence."""
    publish(store, snapshot(1))
    store.create("snapshots/2.json", b"")
    with pytest.raises(ArtifactRefusedError, match=r"snapshots/2\.json is not the JSON of an artifact"):
        read_snapshot(store)


def test_publishing_never_replaces(store: Store) -> None:
    """The second publisher of a number loses with exit code 6, and the first one's snapshot stays."""
    publish(store, snapshot(1, reason="first"))
    with pytest.raises(PublishRaceLostError, match=r"snapshot 1 .* nothing is lost: run again") as caught:
        publish(store, snapshot(1, reason="second"))
    assert caught.value.exit_code == 6
    assert read_snapshot(store).reason == "first"


def test_a_segment_is_the_one_the_snapshot_names(store: Store, finished, tmp_path: Path) -> None:
    """Another segment.json, however valid, is refused; a missing one is an input error."""
    reference = finished("a")
    assert read_segment(store, reference).segment_id == "a"
    with pytest.raises(ArtifactRefusedError, match=r"segments/a/segment\.json has the digest .* expects 0000"):
        read_segment(store, replace(reference, digest="0" * 64))
    (tmp_path / "segments" / "a" / "segment.json").unlink()
    with pytest.raises(InputNotFoundError, match=r"segments/a/segment\.json"):
        read_segment(store, reference)


@pytest.fixture
def published(store: Store) -> Callable[..., Snapshot]:
    """A function that publishes a snapshot of an encoder that the store holds."""
    encoder_id = add_encoder(store)
    _, digest = read_spec(store, encoder_id)

    def publish_one(number: int, **changes) -> Snapshot:
        made = snapshot(number, encoder_id=encoder_id, encoder_digest=digest, **changes)
        publish(store, made)
        return made

    return publish_one


def test_a_rollback_is_one_more_snapshot(store: Store, finished, published) -> None:
    """Its content and its parent are the earlier one's; the number goes on."""
    first, second = finished("a"), finished("b")
    published(1, segments=[first])
    published(2, segments=[first, second])
    rolled = roll_back(store)
    assert rolled == read_snapshot(store)
    assert (rolled.number, rolled.parent, rolled.segments, rolled.reason) == (3, None, [first], "rollback to 1")
    again = roll_back(store, 2)
    assert (again.number, again.parent, again.segments) == (4, 1, [first, second])
    assert snapshot_numbers(store) == [1, 2, 3, 4]


def test_rolling_back_twice_goes_back_further(store: Store, finished, published) -> None:
    """The second rollback does not undo the first."""
    segments = [finished(name) for name in "abc"]
    for number in (1, 2, 3):
        published(number, segments=segments[:number])
    assert roll_back(store).segments == segments[:2]
    assert roll_back(store).segments == segments[:1]
    with pytest.raises(InputNotFoundError, match="no parent"):
        roll_back(store)


def test_a_rollback_needs_a_target(store: Store, published) -> None:
    """No snapshot, no parent, or a number that is not there: nothing is published."""
    with pytest.raises(InputNotFoundError, match="no snapshot yet"):
        roll_back(store)
    published(1)
    with pytest.raises(InputNotFoundError, match="snapshot 1 has no parent to roll back to; expected --to NUMBER"):
        roll_back(store)
    with pytest.raises(InputNotFoundError, match="no snapshot 9"):
        roll_back(store, 9)
    assert snapshot_numbers(store) == [1]


@pytest.mark.parametrize("lost", ["segments/a/segment.json", "encoders/{encoder}/encoder.json"])
def test_a_rollback_to_what_is_not_there_is_refused(
    store: Store, finished, published, tmp_path: Path, lost: str
) -> None:
    """What could not answer does not become live."""
    encoder = published(1, segments=[finished("a")]).encoder_id
    published(2)
    (tmp_path / lost.format(encoder=encoder)).unlink()
    with pytest.raises(InputNotFoundError):
        roll_back(store, 1)
    assert snapshot_numbers(store) == [1, 2]


def start_publisher(shared: Barrier) -> None:
    """Keeps the barrier for the rounds of this process."""
    global barrier
    barrier = shared


def publish_at_once(root: str, number: int, publisher: int) -> int:
    """Publishes together with the other processes; returns the exit code that this one would end with."""
    store = Store(root)
    barrier.wait(timeout=60)
    try:
        publish(store, snapshot(number, publisher=str(publisher)))
    except FirstseenError as error:
        return error.exit_code
    return 0


@pytest.fixture
def publishers() -> Pool:
    """As many processes as publishers, started once for all rounds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.foundation.store.test_snapshots"])
    pool = context.Pool(PUBLISHERS, initializer=start_publisher, initargs=(context.Barrier(PUBLISHERS),))
    yield pool
    pool.close()
    pool.join()


def test_of_many_publishers_exactly_one_wins(publishers: Pool, tmp_path: Path) -> None:
    """Thirty-two processes publish the same number at once, twenty times over: one wins, all others know it."""
    store = Store(tmp_path)
    for number in range(1, ROUNDS + 1):
        arguments = [(str(tmp_path), number, publisher) for publisher in range(PUBLISHERS)]
        # One task each: the barrier holds every process until all have theirs.
        codes = publishers.starmap(publish_at_once, arguments, chunksize=1)
        assert sorted(codes) == [0] + [PublishRaceLostError.exit_code] * (PUBLISHERS - 1)
        live = read_snapshot(store)
        assert live == snapshot(number, publisher=str(codes.index(0)))
    assert sorted(path.name for path in (tmp_path / "snapshots").iterdir()) == sorted(
        f"{number}.json" for number in range(1, ROUNDS + 1)
    )
