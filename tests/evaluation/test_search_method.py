"""One way to search: what it describes photos by is what it compares, by its own distance."""

import numpy as np
import pytest

from evaluation import metrics
from evaluation.search_method import SearchMethod, by_vectors
from tests.photos import scene

PHOTOS = np.stack([scene(seed, width=8, height=8) for seed in range(6)])
EVERY = np.arange(6)


def means(photos):
    """Returns the mean colour of each photo."""
    return photos.mean(axis=(1, 2)).astype(np.float32)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_vectors_are_compared_by_the_stated_distance(distance):
    """The comparison is that of the metrics, and of no other distance."""
    method = by_vectors("mean", means, title="mean colour", distance=distance)
    vectors = method.describe(PHOTOS)
    expected = metrics.by_vectors(vectors, vectors, distance=distance)(EVERY)
    np.testing.assert_array_equal(method.compare(vectors, vectors)(EVERY), expected)
    assert (method.name, method.title, method.distance) == ("mean", "mean colour", distance)


def test_a_method_of_vectors_is_asked_for_every_photo():
    """Nothing limits it, nothing says its dimension twice, and without a decoder nothing is reconstructed."""
    method = by_vectors("mean", means, title="mean colour")
    assert (method.max_queries, method.dimension, method.reconstruct) == (None, None, None)
    assert method.distance == "euclidean"


def test_whatever_is_compared_is_measured_alike():
    """Photos described by sets of colours, and compared by those they share, find themselves."""
    method = SearchMethod(
        name="colours",
        title="colours in common",
        distance="sets",
        describe=lambda photos: [{tuple(pixel) for pixel in photo.reshape(-1, 3)} for photo in photos],
        compare=lambda queries, gallery: (
            lambda indices: np.array(
                [[len(queries[index] & other) for other in gallery] for index in indices], np.float32
            )
        ),
    )
    described = method.describe(PHOTOS)
    assert metrics.found_first(method.compare(described, described), EVERY, EVERY).all()
