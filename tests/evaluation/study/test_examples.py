"""Examples for the pictures: photos with what a search finds, what is left of them, and where it fails."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.baselines import principal_components, raw_pixels
from evaluation.search_method import by_vectors
from evaluation.study import examples
from evaluation.study.evaluate import found_first
from evaluation.study.examples import DISTURBED, FAILURES, NEIGHBOURS, SHOWN, Gallery, collect, disturbed, plane
from evaluation.study.result import DISTURBANCES
from tests.evaluation.study.made_photos import CLASSES, made_bands, made_photos

PIXELS = by_vectors("raw_pixels", raw_pixels, title="raw pixels")


def gallery(count: int = 40, **changes) -> Gallery:
    """Returns photos of four classes, compared by their pixels."""
    photos, labels = made_bands(count)
    return replace(Gallery(photos, labels, CLASSES, raw_pixels(photos)), **changes)


def places(photos: np.ndarray, among: np.ndarray) -> list[int]:
    """Returns which photos these are."""
    return [int(np.flatnonzero((among == photo).all(axis=(1, 2, 3)))[0]) for photo in photos]


def test_shown_photos_stand_with_their_neighbours():
    """Sixteen, with the four nearest of each, and the classes of all."""
    made = gallery()
    shown = collect(PIXELS, made)
    queries = places(shown["photos"], made.photos)
    assert len(set(queries)) == SHOWN
    np.testing.assert_array_equal(shown["photo_labels"], made.labels[queries])
    for row, query in enumerate(queries):
        apart = ((made.vectors - made.vectors[query]) ** 2).sum(axis=1)
        nearest = np.argsort(apart, kind="stable")[1 : NEIGHBOURS + 1]
        assert places(shown["neighbours"][row], made.photos) == nearest.tolist()
        np.testing.assert_array_equal(shown["neighbour_labels"][row], made.labels[nearest])


def test_every_entry_shows_the_same_photos():
    """Rows of one picture stand below each other."""
    made = gallery()
    pca = principal_components(made.photos, dimension=6)
    first, second = collect(PIXELS, made), collect(pca, replace(made, vectors=pca.describe(made.photos)))
    np.testing.assert_array_equal(first["photos"], second["photos"])
    assert {"reconstructions", "worst", "decoded_neighbours"}.isdisjoint(first)


def test_reconstructions_are_of_the_photos_beside_them():
    """Of the photos shown, of their neighbours, and of those with the largest error, worst first."""
    made = gallery()
    pca = principal_components(made.photos, dimension=6)
    shown = collect(pca, replace(made, vectors=pca.describe(made.photos)))

    def restored(photos):
        return np.rint(pca.reconstruct(photos) * 255).astype(np.uint8)

    np.testing.assert_allclose(shown["reconstructions"], restored(shown["photos"]), atol=1)
    np.testing.assert_allclose(shown["decoded_neighbours"][3], restored(shown["neighbours"][3]), atol=1)
    errors = ((pca.reconstruct(made.photos) - made.photos / 255) ** 2).mean(axis=(1, 2, 3))
    assert places(shown["worst"], made.photos) == np.argsort(-errors, kind="stable")[:FAILURES].tolist()
    np.testing.assert_allclose(shown["worst_reconstructions"], restored(shown["worst"]), atol=1)


def test_failures_have_no_neighbour_of_their_class():
    """Where every label lies, all fail, and eight are shown; where the search is right, none."""
    assert len(collect(PIXELS, gallery())["failures"]) == 0
    made = gallery()
    own_class = replace(made, labels=np.arange(len(made.photos)))
    shown = collect(PIXELS, own_class)
    assert places(shown["failures"], made.photos) == list(range(FAILURES))
    assert not (shown["failure_neighbour_labels"] == shown["failure_labels"][:, None]).any()
    for row, neighbours in enumerate(shown["failure_neighbours"]):
        found = places(neighbours, made.photos)
        np.testing.assert_array_equal(shown["failure_neighbour_labels"][row], own_class.labels[found])


@given(st.lists(st.floats(-2, 3, width=32), min_size=1, max_size=20))
def test_values_beyond_black_and_white_are_cut_off(values):
    """Nothing wraps around, and half a step is rounded."""
    pixels = examples._as_pixels(np.array(values, np.float32))
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, np.clip(values, 0, 1) * np.float64(255), atol=0.5001)


def test_failures_of_disturbed_queries_come_first():
    """Each disturbed photo stands with the photo found first, and whether that is its own."""
    photos = made_photos()
    vectors = raw_pixels(photos.test)
    found = found_first(PIXELS, vectors, photos)
    shown = disturbed(PIXELS, photos, vectors, found)
    assert shown["disturbed"].shape == (len(DISTURBANCES), DISTURBED, 16, 16, 1)
    for number, name in enumerate(DISTURBANCES):
        right = shown["disturbed_right"][number]
        assert right.tolist() == sorted(right)
        assert (~right).sum() == min(DISTURBED, (~found[name]).sum())
        asked = places(shown["disturbed"][number], photos.disturbed[name])
        answers = places(shown["disturbed_found"][number], photos.test)
        own = photos.robustness_queries[asked]
        assert all(answer == query for answer, query, is_right in zip(answers, own, right, strict=True) if is_right)


@pytest.mark.parametrize(("most", "training", "test"), [(2_000, 40, 24), (12, 12, 12)])
def test_both_splits_lie_in_one_plane(monkeypatch, most, training, test):
    """A point for each photo, or for so many of each split, with its class."""
    monkeypatch.setattr(examples, "PLANE_PHOTOS", most)
    monkeypatch.setattr(examples, "TSNE", FirstTwo)
    photos = made_photos()
    laid_out = plane(PIXELS, photos, raw_pixels(photos.test))
    for split, count in (("training", training), ("test", test)):
        assert laid_out[f"plane_{split}"].shape == (count, 2)
        firsts = raw_pixels(getattr(photos, split))[:, :2]
        for point, label in zip(laid_out[f"plane_{split}"], laid_out[f"plane_{split}_labels"], strict=True):
            at = np.flatnonzero((firsts == point).all(axis=1))
            assert label in getattr(photos, f"{split}_labels")[at]


class FirstTwo:
    """Lays codes out by their first two numbers, where t-SNE would take a while."""

    def __init__(self, **_settings):
        pass

    def fit_transform(self, codes):
        """Returns the first two numbers of each code."""
        return codes[:, :2]
