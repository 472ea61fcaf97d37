"""Decoded queries: a query as the index is asked for it, or the outcome of one that cannot be used."""

import cv2
import numpy as np
import pytest

from foundation.archives.photos import UnreadablePhotoError
from foundation.errors import TemporaryError
from foundation.photos.photo import decode
from foundation.photos.query_features import CLOSE_SIDE
from serving.match.decoded_query import DecodedQuery, decode_query
from serving.match.match import Outcome
from serving.match.query import Query
from tests.builders import encoder_spec
from tests.photos import jpeg, scene
from tests.serving.search.local_segments import picture


def decoded(data: bytes, *, with_features: bool = False, size: int = 8, channels: int = 3) -> DecodedQuery:
    """Returns the decoded query of a photo that can be used."""
    spec = encoder_spec(size=size, channels=channels)
    found = decode_query(Query("a", lambda: data), spec, with_features=with_features)
    assert isinstance(found, DecodedQuery)
    return found


def refused(read) -> Outcome:
    """Returns the outcome of a query that cannot be used."""
    found = decode_query(Query("a", read), encoder_spec(), with_features=True)
    assert isinstance(found, Outcome)
    return found


def test_a_query_is_decoded_as_the_encoder_sees_photos():
    """Size and channels are those of the encoder."""
    seen = decoded(jpeg(scene(1)), size=24, channels=1)
    assert seen.photo.pixels.shape == (24, 24, 1)
    assert not seen.is_blank
    assert seen.pictured is None


def test_a_query_is_pictured_where_the_archive_has_local_features():
    """Its picture keeps the aspect, its features are in a frame of the archive's size, its square is the photo's."""
    data = jpeg(cv2.cvtColor(cv2.resize(picture(1), (3_000, 2_000)), cv2.COLOR_GRAY2RGB))
    seen = decoded(data, size=24, with_features=True)
    assert seen.pictured is not None
    assert (seen.pictured.width, seen.pictured.height) == (3_000, 2_000)
    assert seen.pictured.picture.shape == (427, CLOSE_SIDE, 3)
    assert seen.pictured.features > 20
    np.testing.assert_array_equal(seen.photo.pixels, decode(data, size=24, frame_side=CLOSE_SIDE).pixels)
    assert seen.pictured.closer.features > seen.pictured.features


def test_what_cannot_be_read_or_decoded_says_why():
    """The reason comes first, as the word under which rejects are counted."""

    def gone() -> bytes:
        raise UnreadablePhotoError("a.jpg cannot be read: gone")

    assert refused(gone).reason == "unreadable: a.jpg cannot be read: gone"
    assert (refused(lambda: open("/nowhere/c.jpg", "rb").read()).reason or "").startswith("unreadable: ")  # noqa: SIM115
    rejected = refused(lambda: b"<html>")
    assert (rejected.query, rejected.status) == ("a", "rejected")
    assert (rejected.reason or "").startswith("not_a_photo: ")


def test_an_outage_is_no_answer():
    """The photo may well be there: who asks later gets its answer."""

    def away() -> bytes:
        raise TemporaryError("cannot read s3://b/a.jpg: 503; run again later")

    with pytest.raises(TemporaryError, match="run again later"):
        refused(away)


def test_one_flat_colour_is_blank():
    """Grain that no eye sees makes it no scene; an edge does."""
    grain = np.random.default_rng(0).integers(120, 123, (40, 40, 3), np.uint8)
    edge = np.repeat(np.array([[0, 255]], np.uint8), 40, axis=0).repeat(20, axis=1)[..., None].repeat(3, axis=2)
    assert decoded(jpeg(grain)).is_blank
    assert not decoded(jpeg(edge)).is_blank
