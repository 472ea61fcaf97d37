"""Candidates: the same bytes first, then the nearest contents, each with every place that holds it."""

from pathlib import Path

import numpy as np
import pytest

from foundation.photos.metadata import PhotoMetadata
from foundation.photos.photo import Photo
from foundation.store.files import Store
from serving.match.candidates import VOTING, Candidate, find_candidates, nearest_vectors
from serving.match.evidence import QueryPhoto
from serving.search.snapshot import OpenSnapshot, Place, Voted
from tests.builders import add_encoder, content, unit_vectors
from tests.segments import add_numbered, publish_segments

VECTORS = unit_vectors(20, 8)


@pytest.fixture
def opened(tmp_path: Path) -> OpenSnapshot:
    """Twenty contents in one segment, the first five of them in a second one too."""
    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store, dimension=8)
    segments = [
        add_numbered(store, encoder_id, f"segment{number}", range(rows), VECTORS, archive=f"s3://archive{number}")
        for number, rows in enumerate((20, 5))
    ]
    publish_segments(store, encoder_id, *segments)
    with OpenSnapshot(store) as found:
        yield found


def photo_of(name: object) -> Photo:
    """A decoded photo with the content hash of that name."""
    return Photo(np.zeros((1, 1, 3), np.uint8), content(name), 1, 1, "JPEG", PhotoMetadata())


def candidates(
    opened: OpenSnapshot, photo: Photo, vector: np.ndarray, k: int, pictured: QueryPhoto | None = None
) -> list[Candidate]:
    """Returns the candidates of one photo in an archive without local features."""
    (near,) = nearest_vectors(opened, vector[None], k)
    return find_candidates(opened, photo, vector, near, pictured)


def test_a_near_content_names_every_place_that_holds_it(opened: OpenSnapshot):
    """Two runs may have met it at the same time: neither segment is left out."""
    found = candidates(opened, photo_of("unknown"), VECTORS[3], 4)
    assert len(found) == 4
    assert (found[0].content, found[0].is_identical) == (content(3), False)
    assert {place.segment for place in found[0].places} == {0, 1}
    assert len({one.content for one in found}) == 4


def test_the_same_bytes_come_first_whatever_their_vector(opened: OpenSnapshot):
    """The vector is another photo's: the hash decides, and the near ones follow."""
    found = candidates(opened, photo_of(12), VECTORS[3], 3)
    assert [(one.content, one.is_identical) for one in found[:2]] == [(content(12), True), (content(3), False)]
    assert found[0].similarity == 1


def test_an_identical_content_is_not_found_twice(opened: OpenSnapshot):
    """It is the nearest one as well."""
    found = candidates(opened, photo_of(3), VECTORS[3], 20)
    assert [one.content for one in found].count(content(3)) == 1
    assert len(found) == 20


def test_a_closer_look_compares_the_pixels_of_the_nearest_alone(opened: OpenSnapshot):
    """Whatever else is only near is listed, and costs no more; and before a closer look nothing of it does."""
    pictured = QueryPhoto.of(np.zeros((60, 80, 3), np.uint8), width=80, height=60)
    for look, views in ((pictured, [0] * 10), (pictured.closer, [4, 4, 4, 0, 0, 0, 0, 0, 0, 0])):
        found = candidates(opened, photo_of("unknown"), VECTORS[3], 10, look)
        assert [len(one.views) for one in found] == views


def test_of_a_content_in_several_segments_the_most_votes_count(opened: OpenSnapshot, monkeypatch: pytest.MonkeyPatch):
    """Where features of one of its places are crowded out, what is left may vote for a wrong view."""
    (places,) = opened.places([content(2)])
    votes = [Voted(places[0], 1, 9.0), Voted(places[1], 0, 2.0)]
    monkeypatch.setattr(opened, "voted", lambda views, k: votes)
    pictured = QueryPhoto.of(np.zeros((60, 80, 3), np.uint8), width=80, height=60)
    found = candidates(opened, photo_of("unknown"), VECTORS[2], 3, pictured)[0]
    assert (found.content, found.views, found.votes) == (content(2), [VOTING[1]], 9.0)
    assert found.places == places


def test_a_vector_that_is_not_finite_finds_nothing_but_the_same_bytes(opened: OpenSnapshot):
    """It must not match what a vector of zeros would, and the queries beside it are answered."""
    vectors = np.stack([np.full(8, np.nan, np.float32), VECTORS[7], np.full(8, np.inf, np.float32)])
    near = nearest_vectors(opened, vectors, 2)
    photos = [photo_of("a"), photo_of("b"), photo_of(9)]
    lost, found, known = (find_candidates(opened, *one, None) for one in zip(photos, vectors, near, strict=True))
    assert lost == []
    assert found[0].content == content(7)
    assert [one.content for one in known] == [content(9)]


def test_no_photos_have_no_candidates(opened: OpenSnapshot):
    """An empty batch is no error."""
    assert nearest_vectors(opened, np.empty((0, 8), np.float32), 3) == []
    assert opened.places([]) == []


def test_a_place_names_segment_and_row(opened: OpenSnapshot):
    """The photo at a place is the one whose content was asked for."""
    (places,) = opened.places([content(2)])
    assert [place.segment for place in places] == [0, 1]
    assert all(isinstance(place, Place) and opened.photo(place)["content_sha256"] == content(2) for place in places)
