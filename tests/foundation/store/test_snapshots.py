"""Snapshots: numbered, created once, rolled back by one more, and of many publishers exactly one wins."""

import json
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from foundation.errors import ArtifactRefusedError, FirstseenError, InputNotFoundError, PublishRaceLostError
from foundation.store import artifact, rollback
from foundation.store.encoders import EncoderSpec, read_spec
from foundation.store.files import Store
from foundation.store.rollback import roll_back
from foundation.store.segments import SegmentReference, read_segment, segment_path
from foundation.store.snapshots import (
    ArchiveState,
    Snapshot,
    live_snapshot,
    publish,
    read_contents,
    read_snapshot,
    snapshot_numbers,
    snapshot_path,
)
from tests.builders import add_encoder, add_run, segment, snapshot, unit_vectors

PUBLISHERS = 32
ROUNDS = 20


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


@pytest.fixture
def encoder(store: Store) -> tuple[EncoderSpec, str]:
    """The spec and the digest of an encoder that the store holds."""
    return read_spec(store, add_encoder(store))


@pytest.fixture
def finished(store: Store, encoder: tuple[EncoderSpec, str]) -> Callable[..., SegmentReference]:
    """A function that finishes a segment of the encoder and returns the reference to it."""

    def finish(segment_id: str, *, rows: int = 2, photos: int = 3, **changes: Any) -> SegmentReference:
        described = segment(
            **{"encoder_digest": encoder[1], **changes}, segment_id=segment_id, rows=rows, photos=photos
        )
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
    with pytest.raises(
        ArtifactRefusedError, match=r"segments/a/segment\.json has the digest .* the snapshot names 0000"
    ):
        read_segment(store, replace(reference, digest="0" * 64))
    (tmp_path / "segments" / "a" / "segment.json").unlink()
    with pytest.raises(InputNotFoundError, match=r"segments/a/segment\.json"):
        read_segment(store, reference)


@pytest.fixture
def published(store: Store, encoder: tuple[EncoderSpec, str]) -> Callable[..., Snapshot]:
    """A function that publishes a snapshot of the encoder."""
    spec, digest = encoder

    def publish_one(number: int, **changes: Any) -> Snapshot:
        made = snapshot(number, encoder_id=spec.encoder_id, encoder_digest=digest, **changes)
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


def test_a_publish_during_a_rollback_wins(store: Store, finished, published, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rollback would otherwise take back what nobody asked it to: it loses the race and can be run again."""
    published(1, segments=[finished("a")])
    published(2)

    def publish_meanwhile(*arguments: Any) -> tuple[None, list]:
        published(3, reason="meanwhile")
        return None, []

    monkeypatch.setattr(rollback, "read_contents", publish_meanwhile)
    with pytest.raises(PublishRaceLostError, match="snapshot 3 was published by somebody else"):
        roll_back(store, 1)
    assert read_snapshot(store).reason == "meanwhile"


def test_a_rollback_passes_a_damaged_live_snapshot(store: Store, finished, published) -> None:
    """Naming the earlier one is the remedy that the refusal of the damaged one names."""
    published(1, segments=[finished("a")])
    store.create("snapshots/2.json", b"")
    with pytest.raises(ArtifactRefusedError, match=r"snapshots/2\.json"):
        roll_back(store)
    assert roll_back(store, 1) == read_snapshot(store)
    assert snapshot_numbers(store) == [1, 2, 3]


def test_a_rollback_leaves_out_the_runs_of_segments_that_cannot_be_read(
    store: Store, encoder: tuple[EncoderSpec, str], finished, published
) -> None:
    """They may be why somebody rolls back; what the snapshot says of its archives, and the chain of runs, name them."""
    for generation, name in enumerate(("r1", "r2"), start=1):
        vectors, previous = unit_vectors(2, encoder[0].dimension), "r1" if generation > 1 else None
        add_run(store, encoder[0].encoder_id, name, vectors, generation=generation, previous=previous)
    published(1, segments=[finished("a")])
    state = ArchiveState(run_id="r2", digest="", photos=2, contents=2)
    published(2, segments=[finished("a"), finished("b", runs={"r1": "", "r2": ""})], archives={"archive": state})
    (store.local_root / segment_path("b")).write_bytes(b"{")
    assert roll_back(store, 1).left_out == ["r1", "r2"]


def rewrite(store: Store, number: int, old: bytes, new: bytes) -> None:
    """Changes the bytes of a snapshot where it lies, as damage or a hand would."""
    path, data = store.local_root / snapshot_path(number), store.read(snapshot_path(number))
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"photos": 3', b'"photos": 2'),
        (b'"rows": 2', b'"rows": 3'),
        (b'"created_at": "2024', b'"created_at": "2025'),
        (b'"reason": "index"', b'"reason": "inder"'),
        (b'"parent": 1', b'"parent": 0'),
        (b'"publisher": "b', b'"publisher": "c'),
        (b'"encoder_id": "m', b'"encoder_id": "n'),
        (b'"parent": 1,', b'"parent": 1, "surplus": 1,'),
    ],
)
def test_no_change_of_the_live_snapshot_goes_unnoticed(
    store: Store, finished, published, old: bytes, new: bytes
) -> None:
    """Nobody names the digest of the newest snapshot: it carries one of its own, over everything else in it."""
    published(2, segments=[finished("a")])
    assert read_snapshot(store).content_sha256
    rewrite(store, 2, old, new)
    with pytest.raises(
        ArtifactRefusedError, match=r"the content of snapshots/2\.json has the digest .* content_sha256 .* --to NUMBER"
    ):
        read_snapshot(store)


def test_one_flipped_bit_of_a_snapshot_changes_no_answer(store: Store, finished, published, tmp_path: Path) -> None:
    """Wherever it lies, the snapshot is refused or says what it said: the name of the digest's field may break."""
    written = published(1, segments=[finished("a")])
    path = tmp_path / snapshot_path(1)
    data = path.read_bytes()
    for position in range(len(data)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        try:
            assert read_snapshot(store) == written
        except ArtifactRefusedError:
            continue


def without_digest(store: Store, number: int) -> None:
    """Makes a snapshot what it was before snapshots carried a digest of their content."""
    path = store.local_root / snapshot_path(number)
    raw = json.loads(path.read_bytes())
    del raw["content_sha256"]
    path.write_bytes(artifact.canonical_json(raw))


def test_an_old_snapshot_without_a_digest_is_read(store: Store, finished, published) -> None:
    """The field was added within the version: what was published before is as valid as it was."""
    written = published(1, segments=[finished("a")])
    without_digest(store, 1)
    assert read_snapshot(store) == written
    assert read_snapshot(store).content_sha256 is None


@pytest.mark.parametrize(("old", "new"), [(b'"rows": 2', b'"rows": 20'), (b'"photos": 3', b'"photos": 4')])
def test_counts_are_those_of_the_segment(store: Store, finished, published, old: bytes, new: bytes) -> None:
    """An old snapshot cannot say that it holds more photos than its segments do."""
    published(1, segments=[finished("a")])
    without_digest(store, 1)
    rewrite(store, 1, old, new)
    with pytest.raises(ArtifactRefusedError, match=r"counts 2 rows and 3 photos, the snapshot (20 and 3|2 and 4);"):
        read_contents(store, read_snapshot(store))


def test_a_time_that_is_none_is_refused(store: Store) -> None:
    """Times are shown and compared: text that is no time, or lies in no zone, is damage."""
    for number, text in enumerate(["yesterday", "2024-05-31T00:00:00", "2024-13-01T00:00:00+00:00"], 1):
        publish(store, snapshot(number, created_at=text))
        with pytest.raises(ArtifactRefusedError, match=rf"snapshots/{number}\.json is damaged at 'created_at'"):
            read_snapshot(store, number)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder_digest": "0" * 64}, r"the encoder of segment a has the digest 0000.* snapshot 1 names"),
        ({"distance": "euclidean"}, r"of 4 numbers with the distance euclidean, encoder made-\w+ gives 4 with cosine"),
        ({"dimension": 5}, r"of 5 numbers with the distance cosine, encoder made-\w+ gives 4 with cosine"),
    ],
)
def test_a_segment_of_another_encoder_is_refused(
    store: Store, finished, published, changes: dict[str, Any], message: str
) -> None:
    """A search among its vectors would answer without an error, only wrongly."""
    made = published(1, segments=[finished("a", **changes)])
    with pytest.raises(ArtifactRefusedError, match=message):
        read_contents(store, made)
    with pytest.raises(ArtifactRefusedError, match=message):
        roll_back(store, 1)


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
