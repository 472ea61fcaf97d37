"""Collects what the pictures of the study show of one entry: photos, what is left of them, what a search finds."""

from dataclasses import dataclass

import numpy as np
from sklearn.manifold import TSNE

from evaluation import metrics
from evaluation.search_method import SearchMethod
from evaluation.study.evaluate import squared_errors
from evaluation.study.photos import Photos
from evaluation.study.plan import SEED
from evaluation.study.result import DISTURBANCES

SHOWN = 16
FAILURES = 8
DISTURBED = 4
NEIGHBOURS = 4
# The time of t-SNE grows faster than the number of photos: two splits of so many take a minute and more.
PLANE_PHOTOS = 2_000

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Gallery:
    """The photos that pictures are made of: uint8 [n, size, size, channels], their classes, int [n], and vectors."""

    photos: np.ndarray
    labels: np.ndarray
    class_names: np.ndarray
    vectors: np.ndarray


def collect(method: SearchMethod, gallery: Gallery) -> Arrays:
    """Returns the arrays for the pictures of one entry, by the names that `evaluation.study.result` knows."""
    # The seed draws the same photos for every entry, so that rows of a picture compare.
    shown = np.sort(np.random.default_rng(SEED).choice(len(gallery.photos), SHOWN, replace=False))
    similarity = method.compare(gallery.vectors, gallery.vectors)
    of_all = metrics.nearest(similarity, np.arange(len(gallery.photos)), NEIGHBOURS, leave_out_self=True)
    neighbours = of_all[shown]
    arrays = {
        "photos": gallery.photos[shown],
        "photo_labels": gallery.labels[shown],
        "class_names": gallery.class_names,
        "neighbours": gallery.photos[neighbours],
        "neighbour_labels": gallery.labels[neighbours],
        **_failures(gallery, of_all),
    }
    if method.reconstruct:
        arrays["reconstructions"] = _as_pixels(method.reconstruct(gallery.photos[shown]))
        # What a decoder makes of a neighbour's vector is what it makes of the neighbour.
        decoded = _as_pixels(method.reconstruct(gallery.photos[neighbours.ravel()]))
        arrays["decoded_neighbours"] = decoded.reshape(arrays["neighbours"].shape)
        worst = np.argsort(-squared_errors(method.reconstruct, gallery.photos), kind="stable")[:FAILURES]
        arrays["worst"] = gallery.photos[worst]
        arrays["worst_reconstructions"] = _as_pixels(method.reconstruct(gallery.photos[worst]))
    return arrays


def disturbed(method: SearchMethod, photos: Photos, vectors: np.ndarray, found: dict[str, np.ndarray]) -> Arrays:
    """Returns, for each disturbance, queries that find another photo than their own first, and then ones that do."""
    queries, answers, right = [], [], []
    for name in DISTURBANCES:
        # False sorts before True: failures come first, and right answers fill up.
        chosen = np.argsort(found[name], kind="stable")[:DISTURBED]
        asked = photos.disturbed[name][chosen]
        similarity = method.compare(method.describe(asked), vectors)
        first = metrics.nearest(similarity, np.arange(len(asked)), 1, leave_out_self=False)[:, 0]
        queries.append(asked)
        answers.append(photos.test[first])
        right.append(found[name][chosen])
    return {
        "disturbed": np.stack(queries),
        "disturbed_found": np.stack(answers),
        "disturbed_right": np.stack(right),
    }


def plane(method: SearchMethod, photos: Photos, vectors: np.ndarray) -> Arrays:
    """Returns the codes of training and test photos laid out in one plane by t-SNE (van der Maaten and Hinton, 2008).

    `vectors`: those of the test photos. Both splits are laid out together, so that they can be compared.
    """
    generator = np.random.default_rng(SEED)
    training = generator.choice(len(photos.training), min(PLANE_PHOTOS, len(photos.training)), replace=False)
    test = generator.choice(len(photos.test), min(PLANE_PHOTOS, len(photos.test)), replace=False)
    codes = np.concatenate([method.describe(photos.training[training]), vectors[test]])
    laid_out = TSNE(random_state=SEED, init="pca").fit_transform(codes)
    return {
        "plane_training": laid_out[: len(training)],
        "plane_training_labels": photos.training_labels[training],
        "plane_test": laid_out[len(training) :],
        "plane_test_labels": photos.test_labels[test],
    }


def _failures(gallery: Gallery, neighbours: np.ndarray) -> Arrays:
    """Returns the first photos none of whose nearest, int [n, 4], are of their class."""
    is_right = gallery.labels[neighbours] == gallery.labels[:, None]
    failed = np.flatnonzero(~is_right.any(axis=1))[:FAILURES]
    return {
        "failures": gallery.photos[failed],
        "failure_labels": gallery.labels[failed],
        "failure_neighbours": gallery.photos[neighbours[failed]],
        "failure_neighbour_labels": gallery.labels[neighbours[failed]],
    }


def _as_pixels(photos: np.ndarray) -> np.ndarray:
    """Returns photos in [0, 1] as uint8."""
    return np.rint(np.clip(photos, 0, 1) * 255).astype(np.uint8)
