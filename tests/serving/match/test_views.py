"""Views: a query as the index is asked for it, or the reason why it is not."""

import numpy as np

from foundation.archives.photos import UnreadablePhotoError
from foundation.photos.photo import decode
from serving.match.query import Query
from serving.match.views import view
from tests.builders import encoder_spec
from tests.photos import jpeg, scene


def test_a_query_is_decoded_as_the_encoder_sees_photos():
    """Size and channels are those of the encoder."""
    seen = view(Query("a", lambda: jpeg(scene(1))), encoder_spec(size=24, channels=1))
    assert seen.photo is not None
    assert seen.photo.pixels.shape == (24, 24, 1)
    assert (seen.rejection, seen.is_blank) == (None, False)


def test_a_query_has_a_frame_where_the_archive_has_local_features():
    """It is decoded as the archive's photos were, which changes its square a little."""
    data = jpeg(scene(1, width=300, height=200))
    seen = view(Query("a", lambda: data), encoder_spec(size=24), frame_side=100)
    assert seen.photo is not None
    assert seen.photo.frame is not None
    assert seen.photo.frame.shape == (67, 100, 3)
    np.testing.assert_array_equal(seen.photo.pixels, decode(data, size=24, frame_side=100).pixels)
    plain = view(Query("a", lambda: data), encoder_spec(size=24))
    assert plain.photo is not None
    assert plain.photo.frame is None


def test_what_cannot_be_read_or_decoded_says_why():
    """The reason comes first, as the word under which rejects are counted."""

    def gone() -> bytes:
        raise UnreadablePhotoError("a.jpg cannot be read: gone")

    assert view(Query("a", gone), encoder_spec()).rejection == "unreadable: a.jpg cannot be read: gone"
    opened = view(Query("c", lambda: open("/nowhere/c.jpg", "rb").read()), encoder_spec())  # noqa: SIM115
    assert (opened.rejection or "").startswith("unreadable: ")
    rejected = view(Query("b", lambda: b"<html>"), encoder_spec())
    assert rejected.photo is None
    assert (rejected.rejection or "").startswith("not_a_photo: ")
    assert not rejected.is_blank


def test_one_flat_colour_is_blank():
    """Grain that no eye sees makes it no scene; an edge does."""
    grain = np.random.default_rng(0).integers(120, 123, (40, 40, 3), np.uint8)
    edge = np.repeat(np.array([[0, 255]], np.uint8), 40, axis=0).repeat(20, axis=1)[..., None].repeat(3, axis=2)
    assert view(Query("flat", lambda: jpeg(grain)), encoder_spec()).is_blank
    assert not view(Query("edge", lambda: jpeg(edge)), encoder_spec()).is_blank
