"""What must not be found: contents that no photo has any more, and retracted ones, in every way of searching."""

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import ArtifactRefusedError, TemporaryError
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, latest_occurrences
from foundation.store.retractions import RetractedPhoto, add_retraction, retraction_path
from serving.search import followed, ignored, photo_table
from serving.search import hidden as hidden_module
from serving.search.snapshot import OpenSnapshot
from tests.builders import add_encoder, content, day, neighbours_of, unit_vectors
from tests.segments import add_segment, held, occurrence, publish_segments
from tests.serving.search.local_segments import features_of, picture

VECTORS = unit_vectors(6, 8)
A, B = "file:///a", "s3://b"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store with an encoder of eight numbers."""
    return Store(tmp_path / "store", create=True)


def first_segment(store: Store, encoder_id: str):
    """Writes six contents, each of one photo of archive A; that of 5 is in archive B too."""
    rows = [held(name, occurrence(f"{name}.jpg", A)) for name in range(5)]
    both = held(5, occurrence("5.jpg", A), occurrence("x.jpg", B))
    return add_segment(store, encoder_id, "first", [*rows, both], vectors=VECTORS)


def removed(photo_id: str, archive: str = A, **fields) -> Occurrence:
    """Returns that a photo went, in a second run."""
    return occurrence(photo_id, archive, generation=2, is_removed=True, **fields)


def ids(opened: OpenSnapshot, name: object) -> list[str]:
    """Returns the photos that have a content."""
    return [one.photo_id for one in opened.occurrences(content(name))]


def near(opened: OpenSnapshot, vector: np.ndarray, k: int = 6) -> list[bytes]:
    """Returns the contents near a vector."""
    return [one.content for one in neighbours_of(opened, vector[None], k)[0]]


def test_a_removed_photo_is_gone_and_takes_no_place(store: Store):
    """Neither by its vector nor by its hash; three neighbours are three that may be answered."""
    encoder_id = add_encoder(store, dimension=8)
    second = add_segment(store, encoder_id, "second", changes={content(2): [removed("2.jpg")]})
    publish_segments(store, encoder_id, first_segment(store, encoder_id), second)
    with OpenSnapshot(store) as opened:
        assert opened.places([content(2)]) == [[]]
        assert ids(opened, 2) == []
        found = near(opened, VECTORS[2], 3)
        assert len(found) == 3
        assert content(2) not in found
        assert len(near(opened, VECTORS[2])) == 5


def test_another_archive_keeps_what_one_removed(store: Store):
    """The content stays, at one place fewer."""
    encoder_id = add_encoder(store, dimension=8)
    second = add_segment(store, encoder_id, "second", changes={content(5): [removed("5.jpg")]})
    publish_segments(store, encoder_id, first_segment(store, encoder_id), second)
    with OpenSnapshot(store) as opened:
        assert near(opened, VECTORS[5])[0] == content(5)
        assert ids(opened, 5) == ["x.jpg"]


def test_nothing_votes_for_a_removed_photo(store: Store):
    """In whichever of the segments with local features it lies; masks are those of its own segment."""
    encoder_id = add_encoder(store, dimension=8)
    pictures = [picture(seed) for seed in range(6)]
    rows = [held(number, occurrence(f"{number}.jpg", A)) for number in range(6)]
    segments = [
        add_segment(store, encoder_id, "without", [held("none", occurrence("none.jpg", A))]),
        add_segment(store, encoder_id, "one", rows[:3], features=features_of(pictures[:3])),
        add_segment(store, encoder_id, "two", rows[3:], features=features_of(pictures[3:])),
        add_segment(store, encoder_id, "gone", changes={content(4): [removed("4.jpg")]}),
    ]
    for published, expected in ((segments[:3], [content(4)]), (segments, [])):
        publish_segments(store, encoder_id, *published)
        with OpenSnapshot(store) as opened:
            votes = opened.voted(features_of([pictures[4]]), 6)
            found = opened.contents([one.place for one in votes])
            assert [one for one in found if one == content(4)] == expected
            assert found


def test_a_moved_photo_is_one_copy(store: Store):
    """The old name went, the new one came: the content stays, with one occurrence."""
    encoder_id = add_encoder(store, dimension=8)
    moved = [removed("1.jpg"), occurrence("moved/1.jpg", A, generation=2)]
    second = add_segment(store, encoder_id, "second", changes={content(1): moved})
    publish_segments(store, encoder_id, first_segment(store, encoder_id), second)
    with OpenSnapshot(store) as opened:
        assert ids(opened, 1) == ["moved/1.jpg"]
        assert near(opened, VECTORS[1], 1) == [content(1)]


def test_a_photo_that_came_back_is_found_again(store: Store):
    """Its third run says so, in whatever order the segments are listed."""
    encoder_id = add_encoder(store, dimension=8)
    gone = add_segment(store, encoder_id, "gone", changes={content(0): [removed("0.jpg")]})
    back = add_segment(store, encoder_id, "back", changes={content(0): [occurrence("0.jpg", A, generation=3)]})
    publish_segments(store, encoder_id, back, first_segment(store, encoder_id), gone)
    with OpenSnapshot(store) as opened:
        assert ids(opened, 0) == ["0.jpg"]
        assert opened.places([content(0)]) != [[]]


@pytest.mark.parametrize(("first", "second"), [("p", "q"), ("q", "p")])
def test_a_photo_that_was_replaced_and_put_back_has_its_first_content(store: Store, first: str, second: str):
    """The same name in two contents is two entries, whichever hash is the lower one."""
    encoder_id = add_encoder(store, dimension=8)
    segments = [
        add_segment(store, encoder_id, "one", [held(first, occurrence("1.jpg", A))]),
        add_segment(
            store,
            encoder_id,
            "two",
            [held(second, occurrence("1.jpg", A, generation=2))],
            changes={content(first): [removed("1.jpg")]},
        ),
        add_segment(
            store,
            encoder_id,
            "three",
            changes={
                content(first): [occurrence("1.jpg", A, generation=3)],
                content(second): [occurrence("1.jpg", A, generation=3, is_removed=True)],
            },
        ),
    ]
    publish_segments(store, encoder_id, *segments)
    with OpenSnapshot(store) as opened:
        assert [bool(places) for places in opened.places([content(first), content(second)])] == [True, False]


def test_a_later_run_replaces_date_and_words(store: Store):
    """What counts of one photo is its latest occurrence, whole: nothing of the earlier one is mixed in."""
    encoder_id = add_encoder(store, dimension=8)
    old = occurrence("p.jpg", A, published_at=day(9), caption="wrong", source="Wire")
    new = occurrence("p.jpg", A, generation=2, published_at=day(4), credit="Desk")
    first = add_segment(store, encoder_id, "first", [held("p", old)])
    second = add_segment(store, encoder_id, "second", changes={content("p"): [new]})
    publish_segments(store, encoder_id, first, second)
    with OpenSnapshot(store) as opened:
        assert opened.occurrences(content("p")) == [new]


def test_a_snapshot_of_changes_alone_finds_nothing(store: Store):
    """Its segment has no rows, and is no reason to fail."""
    encoder_id = add_encoder(store, dimension=8)
    publish_segments(
        store, encoder_id, add_segment(store, encoder_id, "changes", changes={content(0): [removed("0.jpg")]})
    )
    with OpenSnapshot(store) as opened:
        assert near(opened, VECTORS[0]) == []
        assert opened.places([content(0), content(1)]) == [[], []]
        assert not opened.has_local_features


def test_an_encoding_that_names_its_archive_replaces_one_that_did_not(store: Store):
    """A store of version 2 goes on: the photo counts once, and when it goes, its content does."""
    encoder_id = add_encoder(store, dimension=8)
    unnamed = [Occurrence(f"{name}.jpg", f"{A}/{name}.jpg") for name in "pq"]
    old = add_segment(store, encoder_id, "old", [held(name, one) for name, one in zip("pq", unnamed, strict=True)])
    second = {content("p"): [removed("p.jpg")], content("q"): [occurrence("q.jpg", A, generation=2)]}
    publish_segments(store, encoder_id, old, add_segment(store, encoder_id, "second", changes=second))
    with OpenSnapshot(store) as opened:
        assert opened.places([content("p")]) == [[]]
        assert opened.places([content("q")]) != [[]]
        assert len(opened.occurrences(content("q"))) == 1


occurrences = st.builds(
    lambda archive, number, generation, is_removed: Occurrence(
        f"{number}.jpg", f"file:///{number}.jpg", archive=archive, generation=generation, is_removed=is_removed
    ),
    st.sampled_from(["", A, B]),
    st.integers(0, 2),
    st.integers(0, 3),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_hidden_contents_are_those_that_no_occurrence_is_left_of(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    """The arrays agree with the loop over `latest_occurrences`, however small the blocks that are read."""
    store = Store(tmp_path_factory.mktemp("store"), create=True)
    encoder_id = add_encoder(store, dimension=8)
    some = st.lists(occurrences, min_size=1, max_size=4)
    rows = data.draw(st.dictionaries(st.integers(0, 8), some, min_size=1))
    changes = data.draw(st.lists(st.dictionaries(st.integers(0, 8), some, min_size=1), min_size=1, max_size=3))
    segments = [add_segment(store, encoder_id, "rows", [held(name, *found) for name, found in rows.items()])]
    for number, changed in enumerate(changes):
        by_content = {content(name): found for name, found in changed.items()}
        segments.append(add_segment(store, encoder_id, f"changes{number}", changes=by_content))
    publish_segments(store, encoder_id, *segments)
    with pytest.MonkeyPatch.context() as patch, OpenSnapshot(store) as opened:
        patch.setattr(hidden_module, "BLOCK_CONTENTS", data.draw(st.integers(1, 4)))
        patch.setattr(photo_table, "READ_ROW_GROUPS", 1)
        found = {one.ljust(32, b"\0") for one in hidden_module.without_photos(opened._segments).tolist()}
    mentioned = {
        name: [*rows.get(name, []), *(one for some in changes for one in some.get(name, []))] for name in range(9)
    }
    gone = {
        content(name)
        for name, all_of_it in mentioned.items()
        if any(one.is_removed for some in changes for one in some.get(name, []))
        and all(one.is_removed for one in latest_occurrences(all_of_it))
    }
    assert found == gone


def retract(store: Store, name: object, photo_id: str, archive: str = A) -> None:
    """Retracts one photo."""
    add_retraction(
        store, [RetractedPhoto(archive=archive, photo_id=photo_id, content_sha256=content(name).hex())], why=""
    )


@pytest.fixture
def published(store: Store) -> Store:
    """A store whose live snapshot has the first segment."""
    encoder_id = add_encoder(store, dimension=8)
    publish_segments(store, encoder_id, first_segment(store, encoder_id))
    return store


def test_a_retraction_counts_when_a_snapshot_is_opened(published: Store):
    """Its content is hidden under every name, on any snapshot."""
    retract(published, 5, "5.jpg")
    with OpenSnapshot(published) as opened:
        assert ids(opened, 5) == []
        assert content(5) not in near(opened, VECTORS[5])


def test_an_open_snapshot_takes_up_a_retraction(published: Store, monkeypatch: pytest.MonkeyPatch):
    """It looks again when its last look is half a minute ago, and not before: a look costs a listing."""
    clock = [1_000.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    with OpenSnapshot(published) as opened:
        retract(published, 3, "3.jpg")
        clock[0] += followed.LOOK_SECONDS - 1
        opened.refresh()
        assert near(opened, VECTORS[3], 1) == [content(3)]
        clock[0] += 1
        opened.refresh()
        assert content(3) not in near(opened, VECTORS[3])
        assert opened.places([content(3)]) == [[]]
        retract(published, 4, "4.jpg")
        clock[0] += followed.LOOK_SECONDS
        opened.refresh()
        assert len(near(opened, VECTORS[3])) == 4


def test_a_retraction_counts_though_the_other_list_could_not_be_read(published: Store, monkeypatch: pytest.MonkeyPatch):
    """The query that met it has its error; the next one does not find what was withdrawn."""
    clock = [1_000.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    with OpenSnapshot(published) as opened:
        retract(published, 3, "3.jpg")
        clock[0] += followed.LOOK_SECONDS
        with monkeypatch.context() as broken:
            broken.setattr(ignored, "read_ignored", Mock(side_effect=TemporaryError("run again later")))
            with pytest.raises(TemporaryError):
                opened.refresh()
        opened.refresh()
        assert content(3) not in near(opened, VECTORS[3])


def test_what_comes_under_a_retracted_name_is_dropped(published: Store):
    """A name is withdrawn with its photo: of another content that has it, the other places stay."""
    retract(published, "an older content", "5.jpg")
    with OpenSnapshot(published) as opened:
        assert ids(opened, 5) == ["x.jpg"]


def test_the_same_name_in_another_archive_is_another_photo(published: Store):
    """Names are those of an archive."""
    retract(published, "elsewhere", "5.jpg", archive=B)
    with OpenSnapshot(published) as opened:
        assert ids(opened, 5) == ["5.jpg", "x.jpg"]


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("damage", ["missing", "damaged", "another"])
def test_without_one_of_the_retractions_nothing_is_answered(
    published: Store, monkeypatch: pytest.MonkeyPatch, damage: str, is_open: bool
):
    """Whatever it withdrew might be answered; it is named, now and each time that somebody asks."""
    clock = [0.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    before = OpenSnapshot(published)
    for number in range(2):
        retract(published, number, f"{number}.jpg")
    path = published.local_root / retraction_path(1)
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"{}" if damage == "damaged" else (published.local_root / retraction_path(2)).read_bytes())
    clock[0] += followed.LOOK_SECONDS
    for _ in range(2):
        with pytest.raises(ArtifactRefusedError, match=r"retractions/1\.json"):
            before.refresh() if is_open else OpenSnapshot(published)
    before.close()


def test_a_list_that_lost_its_end_is_noticed_by_who_knows_it(published: Store, monkeypatch: pytest.MonkeyPatch):
    """An open snapshot remembers how long it was."""
    retract(published, 3, "3.jpg")
    clock = [0.0]
    monkeypatch.setattr(followed, "monotonic", lambda: clock[0])
    with OpenSnapshot(published) as opened:
        (published.local_root / retraction_path(1)).unlink()
        clock[0] += followed.LOOK_SECONDS
        with pytest.raises(ArtifactRefusedError, match=r"retractions/1\.json is missing"):
            opened.refresh()
