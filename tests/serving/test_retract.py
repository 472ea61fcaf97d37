"""Choosing photos to retract: by name, and as copies of a photo."""

from pathlib import Path

import pytest

from foundation.errors import InputNotFoundError, UsageError
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.retractions import RetractedPhoto
from serving.retract import photos_named
from tests.builders import add_encoder, content
from tests.segments import add_segment, held, occurrence, publish_segments

A, B = "file:///a", "s3://b/photos"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Photos of two archives and of an older store; p.jpg is in both archives, q.jpg was replaced, r.jpg removed."""
    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store, dimension=8)
    rows = [
        held("p in a", occurrence("p.jpg", A)),
        held("p in b", occurrence("p.jpg", B)),
        held("old q", occurrence("q.jpg", A)),
        held("r", occurrence("r.jpg", A)),
        held("unnamed", Occurrence("u.jpg", f"{A}/u.jpg")),
    ]
    new = held("new q", occurrence("q.jpg", A, generation=2))
    gone = {
        content(name): [occurrence(photo_id, A, generation=2, is_removed=True)]
        for name, photo_id in (("old q", "q.jpg"), ("r", "r.jpg"))
    }
    segments = [
        add_segment(store, encoder_id, "one", rows),
        add_segment(store, encoder_id, "two", [new], changes=gone),
    ]
    publish_segments(store, encoder_id, *segments)
    return store


def photo(name: str, photo_id: str, archive: str = A) -> RetractedPhoto:
    """Returns a photo as it is retracted."""
    return RetractedPhoto(archive=archive, photo_id=photo_id, content_sha256=content(name).hex())


def test_a_photo_is_retracted_with_the_content_it_has(store: Store):
    """Not with one that it had before, which may be another photo's; one that went is retracted with its last."""
    assert photos_named(store, ["q.jpg"]) == [photo("new q", "q.jpg")]
    assert photos_named(store, ["r.jpg", "q.jpg", "r.jpg"]) == [photo("r", "r.jpg"), photo("new q", "q.jpg")]


def test_a_photo_of_several_archives_needs_the_name_of_one(store: Store):
    """Both are named, and nobody is guessed."""
    with pytest.raises(UsageError, match=rf"p.jpg is in 2 archives; expected --archive, one of: {A}, {B}"):
        photos_named(store, ["p.jpg"])
    assert photos_named(store, ["p.jpg"], archive=B) == [photo("p in b", "p.jpg", B)]


def test_a_photo_that_names_no_archive_lies_in_that_of_its_uri(store: Store):
    """It was encoded by version 2."""
    expected = [photo("unnamed", "u.jpg", "")]
    assert photos_named(store, ["u.jpg"]) == photos_named(store, ["u.jpg"], archive=A) == expected
    with pytest.raises(InputNotFoundError, match=r"no photo u\.jpg in archive s3://b/photos"):
        photos_named(store, ["u.jpg"], archive=B)


def test_an_unknown_photo_is_told_with_names_like_it(store: Store):
    """One mistyped name of many, and nothing is retracted."""
    with pytest.raises(InputNotFoundError, match=r"no photo 2024/Q\.png in the live snapshot.* is it one of: q\.jpg\?"):
        photos_named(store, ["r.jpg", "2024/Q.png"])
    with pytest.raises(InputNotFoundError, match="`firstseen lookup PHOTO` shows the photo_id"):
        photos_named(store, ["nothing like it"])
