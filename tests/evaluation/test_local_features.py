"""Search by local features: each photo finds itself, blank ones nothing, and blocks change nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import local_features as module
from evaluation.local_features import LocalFeatures, by_local_features, local_features
from evaluation.metrics import found_first

EVERY = np.arange(24)
# Squares of random values: corners enough for keypoints.
CORNERS = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), np.uint8).repeat(4, axis=1).repeat(4, axis=2)


def blank(value, channels=1):
    """Returns one photo of one value."""
    return np.full((1, 28, 28, channels), value, np.uint8)


def brute_force(queries, gallery):
    """Returns the stated similarity of two photos' descriptors, one by one."""
    if not len(queries) or not len(gallery):
        return -1.0
    return np.mean([max(query @ other for other in gallery) ** 8 for query in queries])


@pytest.mark.parametrize("photos", [CORNERS[:, 2:30, 2:30, :1], CORNERS], ids=["grey", "colour"])
def test_local_features_find_each_photo_by_itself(photos):
    """Descriptors have unit length, no photo more than its share, and each photo matches itself by 1."""
    features = local_features(photos)
    assert features.descriptors.shape == (features.counts.sum(), 128)
    assert 0 < features.counts.min() <= features.counts.max() <= module.KEYPOINTS
    np.testing.assert_allclose(np.linalg.norm(features.descriptors, axis=1), 1, rtol=1e-5)
    similarity = by_local_features(features, features)
    np.testing.assert_allclose(np.diag(similarity(EVERY)), 1)
    assert found_first(similarity, EVERY, EVERY).all()


def test_photos_without_keypoints_match_nothing():
    """Blank queries and blank photos are further than any other, themselves included; all blank is no error."""
    mixed = local_features(
        np.concatenate([blank(0), CORNERS[:1, 2:30, 2:30, :1], blank(90), CORNERS[1:2, 2:30, 2:30, :1]])
    )
    np.testing.assert_array_equal(mixed.counts > 0, [False, True, False, True])
    matched = by_local_features(mixed, mixed)(np.arange(4))
    assert np.all(matched[[0, 2]] == -1)
    assert np.all(matched[:, [0, 2]] == -1)
    assert np.all(matched[np.ix_([1, 3], [1, 3])] > 0)
    empty = local_features(blank(0))
    np.testing.assert_array_equal(by_local_features(mixed, empty)(np.arange(4)), np.full((4, 1), -1))
    np.testing.assert_array_equal(by_local_features(empty, mixed)(np.arange(1)), np.full((1, 4), -1))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.lists(st.integers(0, 4), min_size=1, max_size=9))
def test_matching_in_blocks_is_matching_one_by_one(asked, held):
    """Whatever numbers of descriptors, in blocks of two and three photos, the similarity is the stated one."""
    generator = np.random.default_rng(0)

    def features(counts):
        descriptors = np.abs(generator.standard_normal((sum(counts), 128))).astype(np.float32)
        return LocalFeatures(descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True), np.array(counts))

    queries, gallery = features(asked), features(held)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUERY_BLOCK", 2)
        patch.setattr(module, "GALLERY_BLOCK", 3)
        order = np.arange(len(asked))[::-1]
        matched = by_local_features(queries, gallery)(order)
    expected = [
        [
            brute_force(
                queries.descriptors[queries.ends[q] : queries.ends[q + 1]],
                gallery.descriptors[gallery.ends[g] : gallery.ends[g + 1]],
            )
            for g in range(len(held))
        ]
        for q in order
    ]
    np.testing.assert_allclose(matched, expected, atol=2e-5)
