"""Packed local features: what is unpacked is what was packed but for rounding, and damaged bytes are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ArtifactRefusedError, UsageError
from foundation.photos.local_features_bytes import (
    KEYPOINT_BYTES,
    count_features,
    pack_keypoints,
    require_in_frame,
    unpack_keypoints,
)

WIDTH, HEIGHT = 400, 300


def keypoints(*rows: tuple[float, float, float, float]) -> np.ndarray:
    """Returns keypoints as an extractor gives them."""
    return np.array(rows, np.float32).reshape(-1, 4)


@given(
    st.lists(
        st.tuples(
            st.floats(0, WIDTH, width=32),
            st.floats(0, HEIGHT, width=32),
            st.floats(0, 1_000, width=32),
            st.floats(0, 360, width=32),
        )
    )
)
def test_keypoints_survive_packing(rows: list[tuple[float, float, float, float]]):
    """Places and scales to half of 1/64 pixel, angles to half of 1/65,536 turn, whichever side of 0 they are on."""
    given_ = keypoints(*rows)
    packed = pack_keypoints(given_, width=WIDTH, height=HEIGHT)
    assert packed.shape == given_.shape
    assert packed.nbytes == KEYPOINT_BYTES * len(rows)
    found = unpack_keypoints(packed)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, :3], given_[:, :3], atol=1 / 128 + 1e-4)
    turned = np.abs((found[:, 3] - given_[:, 3] + 180) % 360 - 180)
    assert (turned <= 360 / 65_536).all()
    require_in_frame("a shard", packed, np.tile(np.array([[WIDTH, HEIGHT]], np.uint16), (len(rows), 1)))


def test_what_lies_outside_is_moved_to_the_edge():
    """A corner found at the very edge, and a scale larger than any frame, stay what they are as nearly as can be."""
    packed = pack_keypoints(keypoints((-0.3, 301, 2_000, 0)), width=WIDTH, height=HEIGHT)
    np.testing.assert_allclose(unpack_keypoints(packed)[0, :3], [0, HEIGHT, 1_024], atol=0.02)


def test_the_bytes_are_those_of_the_contract():
    """Little-endian on every machine: 1/64 pixel, 1/64 pixel, 1/64 pixel, 1/65,536 turn."""
    packed = pack_keypoints(keypoints((1, 2, 4.5, 90)), width=WIDTH, height=HEIGHT)
    assert packed.tobytes().hex() == "40008000" + "2001" + "0040"


def test_a_frame_that_two_bytes_cannot_measure_is_refused():
    """Its places would be wrapped or cut off without a word."""
    with pytest.raises(UsageError, match=r"is 1024; expected 1 to 1,023"):
        pack_keypoints(keypoints(), width=1_024, height=10)


def test_features_are_counted_by_their_bytes():
    """A photo without features has no bytes."""
    found = count_features("a shard", np.array([0, 16, 1_200]), np.array([0, 128, 9_600]))
    assert found.tolist() == [0, 2, 150]


@pytest.mark.parametrize(("keypoint_bytes", "descriptor_bytes"), [(9, 64), (8, 63), (16, 64), (0, 64), (4, 0)])
def test_bytes_that_are_no_whole_features_are_refused(keypoint_bytes: int, descriptor_bytes: int):
    """Every feature after them would be another photo's."""
    with pytest.raises(ArtifactRefusedError, match=r"^shard x holds a photo whose .*; encode again$"):
        count_features("shard x", np.array([8, keypoint_bytes]), np.array([64, descriptor_bytes]))


def test_a_keypoint_outside_of_its_frame_is_refused():
    """Each is held against the frame of its own photo."""
    packed = pack_keypoints(keypoints((10, 20, 1, 0), (30, 5, 1, 0)), width=30, height=20)
    frames = np.array([[10, 20], [30, 20]], np.uint16)
    require_in_frame("shard x", packed, frames)
    with pytest.raises(ArtifactRefusedError, match=r"^shard x holds a keypoint outside of its photo's frame"):
        require_in_frame("shard x", packed, frames[::-1])
