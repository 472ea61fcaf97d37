"""Tests of the local features of one segment."""

from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError
from foundation.store.segments import LOCAL_FRAMES, LOCAL_KEYPOINTS
from serving.search.local_index import LocalIndex, unpack
from tests.serving.search.local_segments import BLANK, features_of, picture, write_local


def test_what_is_kept_of_a_photo_is_given_back(tmp_path: Path):
    """Frame, keypoints but for their rounding, descriptors and thumbnail are those of the row."""
    photos = features_of([picture(0), BLANK, picture(2, width=100, height=140)])
    index = LocalIndex(write_local(tmp_path, photos, thumbnails=[b"first", b"", b"third"]))
    for row, (photo, thumbnail) in enumerate(zip(photos, [b"first", b"", b"third"], strict=True)):
        features, kept = index.stored(row)
        assert (features.width, features.height, kept) == (photo.width, photo.height, thumbnail)
        assert features.keypoints == pytest.approx(photo.keypoints, abs=0.01)
        assert np.array_equal(features.descriptors, photo.descriptors)


def test_nothing_is_kept_of_a_photo_that_was_encoded_without_features(tmp_path: Path):
    """Its row has no frame; that of a photo without texture has one."""
    segment = write_local(tmp_path, features_of([BLANK, BLANK]), thumbnails=[b"", b"second"])
    frames = np.load(segment / LOCAL_FRAMES)
    frames[0] = 0
    np.save(segment / LOCAL_FRAMES, frames)
    index = LocalIndex(segment)
    assert index.stored(0) is None
    assert index.stored(1).thumbnail == b"second"


def test_a_scale_of_zero_has_a_logarithm(tmp_path: Path):
    """A damaged file may hold one, and both search and verification compare scales by their logarithms."""
    segment = write_local(tmp_path, features_of([picture(0)]))
    keypoints = np.load(segment / LOCAL_KEYPOINTS)
    keypoints[:2, 2] = 0
    np.save(segment / LOCAL_KEYPOINTS, keypoints)
    index = LocalIndex(segment)
    assert np.isfinite(np.log2(index.stored(0).features.keypoints[:, 2])).all()
    assert np.isfinite(np.log2(unpack(index.packed_keypoints(np.array([0, 1])))[:, 2])).all()


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path):
    """Keypoints of fewer features than there are descriptors are an error that names both numbers."""
    segment = write_local(tmp_path, features_of([picture(0)]))
    keypoints = np.load(segment / "local/keypoints.npy")
    np.save(segment / "local/keypoints.npy", keypoints[1:])
    with pytest.raises(ArtifactRefusedError, match=f"{len(keypoints) - 1} keypoints and {len(keypoints)} descriptors"):
        LocalIndex(segment)


def test_what_is_open_is_read_although_its_folder_is_gone(tmp_path: Path):
    """A store may be unmounted while it is served: who asks meanwhile is answered as before."""
    folder = write_local(tmp_path / "segment", features_of([picture(0)]), thumbnails=[b"first"])
    index = LocalIndex(folder)
    folder.rename(tmp_path / "gone")
    assert index.stored(0).thumbnail == b"first"
