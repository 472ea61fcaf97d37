"""Columns of local features: what was extracted from the frame, packed, and a thumbnail."""

import numpy as np
import pytest

from foundation.photos import photo
from foundation.photos.compressed_features import COMPRESSED, compress
from foundation.photos.local_features import extract
from foundation.photos.local_features_bytes import unpack_keypoints
from foundation.store.run_tables import local_fields
from pipelines.encode.local_columns import local_columns
from tests.photos import noise


def test_the_columns_hold_what_was_extracted():
    """Keypoints but for rounding, compressed descriptors byte by byte, the frame's size, and its picture."""
    frame = noise(1, width=240, height=180)
    columns = local_columns(frame)
    assert list(columns) == [field.name for field in local_fields()]
    expected = compress(extract(photo.grey(frame)[..., 0]))
    packed = np.frombuffer(columns["keypoints"], "<u2").reshape(-1, 4)
    assert len(packed) == len(expected) > 50
    np.testing.assert_allclose(unpack_keypoints(packed), expected.keypoints, atol=0.01)
    descriptors = np.frombuffer(columns["descriptors"], np.int8).reshape(-1, COMPRESSED)
    np.testing.assert_array_equal(descriptors, expected.descriptors)
    assert (columns["frame_width"], columns["frame_height"]) == (240, 180)
    small = photo.decode(columns["thumbnail"])
    assert (small.width, small.height) == (240, 180)


@pytest.mark.parametrize(("width", "height"), [(8, 8), (400, 8), (1, 400), (400, 400)])
def test_a_frame_without_texture_has_no_feature_and_no_error(width: int, height: int):
    """A blank photo is stored like any other: with its thumbnail, and without a byte of features."""
    columns = local_columns(np.full((height, width, 3), 90, np.uint8))
    assert columns["keypoints"] == columns["descriptors"] == b""
    assert photo.decode(columns["thumbnail"], limits=photo.PhotoLimits(min_side=1, max_aspect=500)).width
