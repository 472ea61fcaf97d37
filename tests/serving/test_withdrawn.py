"""Answers of a store that changed: what a later run said of a photo, and what was removed or retracted."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.retractions import RetractedPhoto, add_retraction, retraction_path
from foundation.store.rollback import roll_back
from serving.answers import Answer
from serving.match.query import Query
from serving.search import followed
from serving.searcher import Searcher
from tests.builders import day
from tests.photos import jpeg, scene
from tests.segments import add_segment, held, occurrence, publish_segments

FILES = {name: jpeg(scene(seed)) for seed, name in enumerate("abc")}


def sha256(name: str) -> bytes:
    """Returns the content hash of a photo."""
    return hashlib.sha256(FILES[name]).digest()


def row(name: str, *occurrences: Occurrence, **columns: object) -> dict[str, object]:
    """Returns the row of a photo's content, as a segment holds it."""
    return held(name, *occurrences, content_sha256=sha256(name), **columns)


@pytest.fixture
def opened_store(store: Path, only_encoder: Callable[[Path], str]) -> tuple[Store, str]:
    """A store with an encoder, and the encoder's id."""
    return Store(store), only_encoder(store)


def ask(searcher: Searcher, *names: str) -> list[list[Answer]]:
    """Looks photos up by their bytes."""
    return list(searcher.lookup(Query(name, lambda name=name: FILES[name]) for name in names))


def ask_live(store: Store, *names: str) -> list[list[Answer]]:
    """Looks photos up in the live snapshot."""
    with Searcher.open(store) as searcher:
        return ask(searcher, *names)


def test_an_answer_has_what_the_first_published_photo_says(opened_store: tuple[Store, str]):
    """Name, date and words are those of one photo; where it has no words, those of its file stand in."""
    store, encoder_id = opened_store
    later = occurrence("later.jpg", published_at=day(9), caption="Later", credit="Late", source="Late")
    first = occurrence("first.jpg", "s3://other", published_at=day(4), source="Wire")
    both = row("a", later, caption="In the file", credit=None, captured_at=day(2))
    changes = {sha256("a"): [first]}
    segments = [
        add_segment(store, encoder_id, "one", [both]),
        add_segment(store, encoder_id, "two", changes=changes),
    ]
    publish_segments(store, encoder_id, *segments)
    ((answer, *_),) = ask_live(store, "a")
    assert (answer.verdict, answer.photo_id, answer.uri) == ("identical", "first.jpg", "s3://other/first.jpg")
    assert (answer.published_at, answer.caption, answer.credit, answer.source) == (day(4), "In the file", None, "Wire")
    assert (answer.first_seen_at, answer.first_seen_basis, answer.occurrences) == (day(4), "published", 2)


def test_a_corrected_catalog_takes_effect(opened_store: tuple[Store, str]):
    """The date that a later run took back counts no more; the capture time says that it is one."""
    store, encoder_id = opened_store
    wrong = occurrence("a.jpg", published_at=day(1), caption="Wrong", credit="Wrong")
    right = occurrence("a.jpg", generation=2, caption="Right")
    segments = [
        add_segment(store, encoder_id, "one", [row("a", wrong, captured_at=day(3))]),
        add_segment(store, encoder_id, "two", changes={sha256("a"): [right]}),
    ]
    publish_segments(store, encoder_id, *segments)
    ((answer, *_),) = ask_live(store, "a")
    assert (answer.published_at, answer.caption, answer.credit) == (None, "Right", None)
    assert (answer.first_seen_at, answer.first_seen_basis, answer.occurrences) == (day(3), "captured", 1)


def test_a_row_of_version_2_has_the_words_of_its_own_photo(opened_store: tuple[Store, str]):
    """They are no words of a photo that another segment says was published earlier."""
    store, encoder_id = opened_store
    words = {"caption": "Own", "credit": "Own", "source": "Own"}
    old = row("a", Occurrence("a.jpg", "file:///a.jpg", day(5)), **words)
    version_2 = {"names_archives": False}
    publish_segments(store, encoder_id, add_segment(store, encoder_id, "one", [old], **version_2))
    ((answer, *_),) = ask_live(store, "a")
    assert (answer.photo_id, answer.caption, answer.credit, answer.source) == ("a.jpg", "Own", "Own", "Own")
    earlier = add_segment(store, encoder_id, "three", changes={sha256("a"): [occurrence("b.jpg", published_at=day(2))]})
    publish_segments(store, encoder_id, add_segment(store, encoder_id, "two", [old], **version_2), earlier)
    ((answer, *_),) = ask_live(store, "a")
    assert (answer.photo_id, answer.caption, answer.credit, answer.source) == ("b.jpg", None, None, None)


@pytest.fixture
def three(opened_store: tuple[Store, str]) -> Store:
    """A store whose live snapshot has three photos of one archive."""
    store, encoder_id = opened_store
    rows = [row(name, occurrence(f"{name}.jpg")) for name in FILES]
    publish_segments(store, encoder_id, add_segment(store, encoder_id, "one", rows))
    return store


def retract(store: Store, name: str) -> None:
    """Retracts a photo of the archive."""
    photo = RetractedPhoto(archive="file:///archive", photo_id=f"{name}.jpg", content_sha256=sha256(name).hex())
    add_retraction(store, [photo], why="a court order")


def test_a_retraction_is_honoured_by_an_open_searcher(three: Store, monkeypatch: pytest.MonkeyPatch):
    """Within a minute, without opening anything again; the other photos are answered as before."""
    clock = [0.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    with Searcher.open(three) as searcher:
        before = ask(searcher, "a", "b")
        assert [found[0].photo_id for found in before] == ["a.jpg", "b.jpg"]
        retract(three, "a")
        clock[0] += 60
        after = ask(searcher, "a", "b")
        assert "a.jpg" not in {answer.photo_id for found in after for answer in found}
        assert after[1][0] == before[1][0]


def test_a_retraction_counts_in_the_midst_of_a_batch(three: Store, monkeypatch: pytest.MonkeyPatch):
    """Vectors were searched before it came: what they found is not answered any more."""
    clock = [0.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    with Searcher.open(three) as searcher:
        opened = searcher._opened
        search = opened.search

        def slow_search(vectors, k):
            found = search(vectors, k)
            retract(three, "a")
            clock[0] += 60
            return found

        monkeypatch.setattr(opened, "search", slow_search)
        (found,) = ask(searcher, "a")
    assert "a.jpg" not in {answer.photo_id for answer in found}


def test_a_rolled_back_snapshot_does_not_bring_it_back(three: Store, only_encoder: Callable[[Store], str]):
    """The list lies beside the snapshots; also one that was published before the retraction honours it."""
    encoder_id = only_encoder(three)
    publish_segments(three, encoder_id, add_segment(three, encoder_id, "two", [row("b", occurrence("b.jpg"))]))
    retract(three, "a")
    roll_back(three, 1)
    (found,) = ask_live(three, "a")
    assert "a.jpg" not in {answer.photo_id for answer in found}
    with Searcher.open(three, snapshot=1) as searcher:
        (found,) = ask(searcher, "a")
    assert "a.jpg" not in {answer.photo_id for answer in found}


def test_a_searcher_that_cannot_read_a_retraction_answers_nothing(three: Store, monkeypatch: pytest.MonkeyPatch):
    """Neither this batch nor the next: who is asked is told which entry is damaged."""
    clock = [0.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    with Searcher.open(three) as searcher:
        retract(three, "a")
        (three.local_root / retraction_path(1)).write_bytes(b"{")
        clock[0] += 60
        for _ in range(2):
            with pytest.raises(ArtifactRefusedError, match=r"retractions/1\.json"):
                ask(searcher, "b")
