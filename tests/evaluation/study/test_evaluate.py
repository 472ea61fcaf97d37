"""Evaluation of one way to search: errors, retrieval and robustness, against values worked out another way."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation import metrics
from evaluation.baselines import raw_pixels
from evaluation.local_features import local_feature_search
from evaluation.search_method import by_vectors
from evaluation.study import evaluate
from evaluation.study.evaluate import found_first, measure_errors, measure_retrieval, squared_errors
from evaluation.study.result import DISTURBANCES
from tests.evaluation.study.made_photos import made_bands, made_photos

PIXELS = by_vectors("raw_pixels", raw_pixels, title="raw pixels")


def darker(photos):
    """Returns reconstructions that are a tenth darker everywhere, pixels in [0, 1]."""
    return photos.astype(np.float32) / 255 - 0.1


def blank(photos):
    """Returns black reconstructions."""
    return np.zeros(photos.shape, np.float32)


@pytest.mark.parametrize("block", [1, 5, 24, 1000])
def test_errors_are_those_of_all_photos_at_once(monkeypatch, block):
    """Whatever the size of blocks: the mean over pixels and channels of each photo."""
    monkeypatch.setattr(evaluate, "BLOCK_PHOTOS", block)
    photos, _ = made_bands(24, channels=3)
    np.testing.assert_allclose(squared_errors(darker, photos), np.full(24, 0.01), rtol=1e-5)
    np.testing.assert_allclose(squared_errors(blank, photos), ((photos / 255.0) ** 2).mean(axis=(1, 2, 3)), rtol=1e-6)


def test_each_split_has_its_own_error():
    """A reconstruction that is black is as wrong as its split is bright."""
    photos = made_photos()
    bright = replace(photos, validation=np.full_like(photos.validation, 255), test=np.full_like(photos.test, 51))
    errors = measure_errors(blank, bright)
    assert errors.validation == pytest.approx(1)
    assert errors.test == pytest.approx(0.04)
    assert errors.training == pytest.approx(float(((photos.training / 255.0) ** 2).mean()), rel=1e-6)


def test_the_sample_of_training_photos_is_spread_over_all(monkeypatch):
    """A sample of the first photos alone would be that of the first shard."""
    monkeypatch.setattr(evaluate, "TRAINING_SAMPLE", 5)
    seen = []
    photos = made_photos()
    measure_errors(lambda block: seen.append(block) or blank(block), photos)
    places = [int(np.flatnonzero((photos.training == photo).all(axis=(1, 2, 3)))[0]) for photo in seen[0]]
    assert places == [0, 9, 19, 29, 39]


def test_both_distances_are_measured_beside_the_own_one():
    """The own distance's precision is that of the retrieval, the other one's is measured apart."""
    photos = made_photos()
    for distance, other in (("euclidean", "cosine"), ("cosine", "euclidean")):
        method = by_vectors("raw_pixels", raw_pixels, title="raw pixels", distance=distance)
        vectors = method.describe(photos.test)
        found = measure_retrieval(method, vectors, photos)
        expected = metrics.measure_precision(
            metrics.by_vectors(vectors, vectors, distance=other), photos.test_labels, np.arange(24), 10
        )
        assert getattr(found, distance) == found.precision_at_10
        assert getattr(found, other) == expected
        assert found.queries == 24


def test_pixels_are_their_own_truth():
    """Raw pixels find exactly the neighbours by pixels, and bands of a class lie together."""
    photos = made_photos()
    found = measure_retrieval(PIXELS, raw_pixels(photos.test), photos)
    assert found.pixel_recall_at_10 == 1
    assert found.precision_at_4 == 1
    assert found.best_precision_at_10 == pytest.approx(5 / 10)


def test_a_slow_search_is_asked_for_some_photos_alone():
    """As many as it allows, drawn by the seed; without vectors it has no other distance."""
    photos = made_photos()
    method = replace(local_feature_search(), max_queries=7)
    described = method.describe(photos.test)
    found = measure_retrieval(method, described, photos)
    assert found.queries == 7
    assert (found.euclidean, found.cosine) == (None, None)
    again = found_first(method, described, photos)
    assert {len(answers) for answers in again.values()} == {7}


@pytest.mark.parametrize(("most", "drawn"), [(None, 12), (12, 12), (40, 12), (5, 5), (1, 1)])
def test_queries_are_drawn_once_for_all(most, drawn):
    """Without repeats, ascending, and the same each time: entries compare on the same photos."""
    queries = np.arange(100, 112)
    chosen = evaluate._at_most(most, queries)
    assert len(chosen) == drawn
    assert set(chosen) <= set(queries)
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, evaluate._at_most(most, queries))


def test_an_undisturbed_photo_is_found_and_a_blank_one_is_not():
    """Each query's target is its own clean photo, at its own place in the test split."""
    photos = made_photos()
    clean = photos.test[photos.robustness_queries]
    for asked, share in ((clean, 1.0), (np.zeros_like(clean), 0.0), (clean[::-1], 0.0)):
        disturbed = replace(photos)
        disturbed.__dict__["disturbed"] = dict.fromkeys(DISTURBANCES, asked)
        found = found_first(PIXELS, raw_pixels(photos.test), disturbed)
        assert {name: answers.mean() for name, answers in found.items()} == pytest.approx(
            dict.fromkeys(DISTURBANCES, share), abs=0.05
        )
