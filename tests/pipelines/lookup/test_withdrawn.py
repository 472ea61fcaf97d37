"""Which answers name what was withdrawn."""

from pathlib import Path

import pytest

from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction
from pipelines.lookup.withdrawn import Withdrawn
from serving.search import followed
from tests.builders import content, match, no_match


@pytest.fixture
def withdrawn(tmp_path: Path) -> Withdrawn:
    """A list on which one photo stands."""
    store = Store(tmp_path, create=True)
    assert not Withdrawn(store).look()
    photo = RetractedPhoto(archive="file:///archive", photo_id="a/1 %.jpg", content_sha256=content(1).hex())
    add_retraction(store, [photo], why="")
    return Withdrawn(store)


def test_a_content_counts_under_whatever_name(withdrawn: Withdrawn) -> None:
    """And so does a name, whatever content came under it: as the photo, or as the first place it was seen at."""
    assert withdrawn.look()
    assert withdrawn.is_named_in([match()], [content(2), content(1)])
    assert not withdrawn.is_named_in([match(), no_match()], [content(2)])
    assert withdrawn.is_named_in([match(photo_id="a/1 %.jpg")], [content(2)])
    for uri in ("file:///archive/a/1%20%25.jpg", "file:///a.tar#a/1%20%25.jpg", "s3://bucket/a/1%20%25.jpg"):
        assert withdrawn.is_named_in([match(first_seen_uri=uri)], [content(2)])
    assert not withdrawn.is_named_in([match(first_seen_uri="file:///archive/1%20%25.jpg")], [content(2)])


def test_a_look_takes_up_what_is_new(withdrawn: Withdrawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says whether anything was; what is settled is named no more."""
    monkeypatch.setattr(followed, "LOOK_SECONDS", 0)
    withdrawn.settle()
    assert not withdrawn.look()
    photo = RetractedPhoto(archive="a", photo_id="b", content_sha256=content(2).hex())
    add_retraction(Store(tmp_path), [photo], why="")
    assert withdrawn.look()
    assert withdrawn.is_named_in([match()], [content(2)])
    assert not withdrawn.is_named_in([match(photo_id="a/1 %.jpg")], [content(1)])
