"""The photos of a study: split once for all, their neighbours by pixels, and what is asked of them disturbed."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from evaluation.study import photos as module
from evaluation.study.photos import open_photos
from evaluation.study.plan import Dataset
from evaluation.study.result import DISTURBANCES
from evaluation.study.workplace import Workplace
from foundation.errors import UsageError
from tests.evaluation.study.made_photos import made_photos, write_shard


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Forty photos to learn from and twenty to ask for."""
    folder = tmp_path_factory.mktemp("shards")
    training, test = (write_shard(folder / f"{name}.tar", n, seed=n) for name, n in (("a", 40), ("b", 20)))
    return Dataset(name="made", training=training, test=test, size=16, channels=1, dimension=8, entries=())


@pytest.fixture(scope="module")
def workplace(tmp_path_factory) -> Workplace:
    """Where the photos are cached."""
    return Workplace(tmp_path_factory.mktemp("work"))


def test_no_photo_is_in_two_splits(dataset, workplace):
    """A tenth is held back from training, and the test split is that of its own source."""
    photos = open_photos(dataset, workplace)
    assert [len(split) for split in (photos.training, photos.validation, photos.test)] == [36, 4, 20]
    every = np.concatenate([photos.training, photos.validation, photos.test])
    assert len(np.unique(every.reshape(60, -1), axis=0)) == 60
    assert (photos.test.dtype, photos.test.shape) == (np.uint8, (20, 16, 16, 1))


def test_classes_stay_with_their_photos(dataset, workplace):
    """The bright band of a photo lies where its class says, in both splits, after all shuffling."""
    photos = open_photos(dataset, workplace)
    for split, labels in ((photos.training, photos.training_labels), (photos.test, photos.test_labels)):
        brightest = split.reshape(len(split), 4, -1).mean(axis=2).argmax(axis=1)
        np.testing.assert_array_equal(photos.class_names[labels], brightest.astype(str))


def test_photos_are_opened_the_same_twice(dataset, workplace):
    """Same split, same digest, same queries: a study goes on where it stopped."""
    first, second = open_photos(dataset, workplace), open_photos(dataset, workplace)
    np.testing.assert_array_equal(first.training, second.training)
    np.testing.assert_array_equal(first.robustness_queries, second.robustness_queries)
    assert first.digest == second.digest


@pytest.mark.parametrize("split", ["training", "validation", "test", "training_labels", "test_labels"])
def test_another_pixel_or_class_is_another_digest(split):
    """One value of any split is enough."""
    photos = made_photos()
    changed = getattr(photos, split).copy()
    changed[0] += 1
    assert replace(photos, **{split: changed}).digest != photos.digest
    assert replace(photos).digest == photos.digest


@pytest.mark.parametrize("channels", [1, 3])
def test_pixel_neighbours_are_those_of_scikit_learn(channels):
    """Ten for each test photo, nearest first, itself left out."""
    photos = made_photos(channels=channels)
    pixels = photos.test.reshape(len(photos.test), -1).astype(np.float64)
    _, found = NearestNeighbors(n_neighbors=11, algorithm="brute").fit(pixels).kneighbors(pixels)
    np.testing.assert_array_equal(found[:, 0], np.arange(len(pixels)))
    np.testing.assert_array_equal(photos.pixel_neighbours, found[:, 1:])


def test_queries_of_robustness_are_drawn_without_repeats(monkeypatch):
    """So many as the plan says, or all of them; ascending, so that they can be looked up."""
    assert made_photos().robustness_queries.tolist() == list(range(24))
    monkeypatch.setattr(module, "ROBUSTNESS_QUERIES", 7)
    queries = made_photos().robustness_queries
    assert len(queries) == 7
    assert (np.diff(queries) > 0).all()


def test_disturbed_photos_are_those_of_the_queries(monkeypatch):
    """One for each query and disturbance, each nearer to its own photo than to those of other classes."""
    monkeypatch.setattr(module, "ROBUSTNESS_QUERIES", 9)
    photos = made_photos()
    assert tuple(photos.disturbed) == DISTURBANCES
    asked = photos.test[photos.robustness_queries].astype(float)
    for name, disturbed in photos.disturbed.items():
        assert disturbed.shape == asked.shape, name
        apart = np.abs(disturbed[:, None].astype(float) - asked).mean(axis=(2, 3, 4))
        labels = photos.test_labels[photos.robustness_queries]
        assert (labels[apart.argmin(axis=1)] == labels).all(), name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dimension": 64}, r"a\.tar has 40 photos; the study of 'made' expects at least 73 there"),
        ({"pca_dimensions": (8, 90)}, r"a\.tar has 40 photos; the study of 'made' expects at least 101 there"),
    ],
)
def test_too_few_photos_for_pca_are_refused_at_once(dataset, workplace, changes, expected):
    """Not after hours of training: so many dimensions need more photos, those held back not counted."""
    with pytest.raises(UsageError, match=expected):
        open_photos(replace(dataset, **changes), workplace)


def test_too_few_test_photos_are_refused(dataset, workplace, tmp_path):
    """The pictures show sixteen, each beside another."""
    small = replace(dataset, test=write_shard(tmp_path / "c.tar", 16, seed=3))
    with pytest.raises(UsageError, match=r"c\.tar has 16 photos; .* expects at least 17 there: name a larger source"):
        open_photos(small, workplace)
