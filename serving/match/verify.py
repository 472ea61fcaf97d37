"""Verifies that a query was made from a photo of the archive: matches, transform, alignment, agreement of pixels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from serving.match.evidence import VIEWS, Dense, Evidence, QueryPhoto, StoredPhoto, View
from serving.match.geometry.agreement import agree
from serving.match.geometry.alignment import Alignment, Scene, align, compare
from serving.match.geometry.guesses import guesses, resemblance
from serving.match.geometry.sharpness import equally_sharp
from serving.match.geometry.shown import unevenness
from serving.match.geometry.transform import apply, corners, fit, is_possible, overlap, sample, shares_of_box
from serving.match.pair import THRESHOLD, Pair

# One pair of strangers in a hundred has so many matches that tell one story; fewer are no evidence.
LEAST_INLIERS = 4
# A small crop may have no more than these: they are evidence where such a share of so many blocks of pixels agrees.
LEAST_MATCHES = 3
SURE_AGREEMENT, SURE_BLOCKS = 0.8, 8
# Without any keypoint so much has to agree; guesses that resemble the photo less are not even aligned.
ALONE_AGREEMENT, ALONE_BLOCKS = 0.7, 12
LEAST_RESEMBLANCE = 0.25
# Fewer matches fix a similarity at best.
AFFINE_MATCHES = 7
# With so many no other view is tried. A building may be symmetrical, and match its mirror image a little too.
ENOUGH_INLIERS = 30
# A perspective is tried only with so many matches, and must explain so many times more of them than an affine map.
PERSPECTIVE_MATCHES = 8
PERSPECTIVE_GAIN = 1.25


class _Found(NamedTuple):
    """A transform between full photos, its model, and what pixels say of it."""

    transform: np.ndarray
    model: str
    dense: Dense | None


def verify(query: QueryPhoto, stored: StoredPhoto, *, views: Sequence[View] = VIEWS) -> Evidence | None:
    """Returns what speaks for the query being made from the stored photo, or None where nothing does.

    `views` are tried in order, until one has matches enough; whoever knows from the search which one was found gives
    it alone. Of a query with several photos in it, each is verified by itself. A closer look tries what pixels say
    where keypoints say too little.
    """
    tried = _try_views(query, stored, views)
    evidence = _by_keypoints(max(tried, key=lambda pair: len(pair.matches)))
    if query.is_close and not (evidence and _is_sure(evidence.dense)):
        return _by_pixels(tried) or evidence
    return evidence


def _try_views(query: QueryPhoto, stored: StoredPhoto, views: Sequence[View]) -> list[Pair]:
    tried: list[Pair] = []
    for view in views:
        tried.append(Pair.of(query, stored, view))
        if len(tried[-1].matches) >= ENOUGH_INLIERS:
            break
    return tried


def _by_keypoints(pair: Pair) -> Evidence | None:
    """Returns the evidence for the transform that most matches agree with, or None if too few do."""
    first = _first_transform(pair) if len(pair.matches) >= LEAST_MATCHES else None
    return _evidence(pair, _refined(pair, *first)) if first else None


def _by_pixels(tried: Sequence[Pair]) -> Evidence | None:
    """Returns the evidence for the guess that pixels speak for most, if they do."""
    guessed = [(pair, one) for pair in tried for one in guesses(pair.all_matches, pair.frames)]
    glimpses = [pair.glimpse(one) for pair, one in guessed]
    likeness = [resemblance(one) if one else 0.0 for one in glimpses]
    best = int(np.argmax(likeness))
    if likeness[best] < LEAST_RESEMBLANCE:
        return None
    pair, transform = guessed[best]
    found = _refined(pair, transform, "affine")
    return _evidence(pair, found) if _is_sure_alone(found.dense) else None


def _is_sure(dense: Dense | None) -> bool:
    return dense is not None and dense.agrees(agreement=SURE_AGREEMENT, blocks=SURE_BLOCKS)


def _is_sure_alone(dense: Dense | None) -> bool:
    """Whether pixels prove a copy without any keypoint."""
    return dense is not None and dense.agrees(agreement=ALONE_AGREEMENT, blocks=ALONE_BLOCKS)


def _first_transform(pair: Pair) -> tuple[np.ndarray, str] | None:
    """Returns the transform between frames that most matches agree with, and its model; None if it is impossible."""
    from_, to = pair.matches.query[:, :2], pair.matches.photo[:, :2]
    if len(to) < AFFINE_MATCHES:
        similarity = fit("similarity", from_.astype(float), to.astype(float), np.ones(len(to))).transform
        return (similarity, "similarity") if pair.agreeing(similarity) >= LEAST_MATCHES else None
    affine = sample(from_, to, threshold=THRESHOLD, perspective=False)
    agreeing = 0 if affine is None else pair.agreeing(affine)
    if len(to) >= PERSPECTIVE_MATCHES and agreeing * PERSPECTIVE_GAIN < len(to):
        perspective = sample(from_, to, threshold=THRESHOLD, perspective=True)
        if perspective is not None and pair.agreeing(perspective) > PERSPECTIVE_GAIN * agreeing:
            return perspective, "perspective"
    return (affine, "affine") if affine is not None and agreeing >= LEAST_INLIERS else None


def _refined(pair: Pair, first: np.ndarray, model: str) -> _Found:
    """Returns a transform between frames as one between full photos, aligned by their pixels where there are any."""
    transform = pair.between_photos(first)
    scene = pair.scene(transform)
    if scene is None:
        return _Found(transform, model, None)
    scene = equally_sharp(scene, transform)
    aligned = align(transform, scene, perspective=model == "perspective")
    if aligned is None:
        return _Found(transform, model, None)
    return _Found(aligned.transform, aligned.model, _dense(aligned, scene))


def _evidence(pair: Pair, found: _Found) -> Evidence | None:
    """Returns the evidence for a transform, or None if too little speaks for it."""
    ahead = pair.between_frames(found.transform)
    inliers = pair.agreeing(ahead)
    if inliers < _least_inliers(found.dense) or not is_possible(ahead, *pair.frames):
        return None
    distances = pair.distances(ahead)
    near = distances < 2 * THRESHOLD
    query_overlap, photo_overlap = overlap(found.transform, *pair.sizes)
    return Evidence(
        inliers=inliers,
        matches=len(pair.all_matches),
        residual=float(np.median(distances[near])) if near.any() else 0.0,
        transform=found.transform / found.transform[2, 2],
        model=found.model,
        view=pair.view,
        query_size=pair.sizes[0],
        photo_size=pair.sizes[1],
        query_overlap=query_overlap,
        photo_overlap=photo_overlap,
        dense=found.dense,
    )


def _least_inliers(dense: Dense | None) -> int:
    if _is_sure_alone(dense):
        return 0
    return LEAST_MATCHES if _is_sure(dense) else LEAST_INLIERS


def _dense(aligned: Alignment, scene: Scene) -> Dense:
    """Returns what the pixels say of an alignment."""
    said = agree(compare(aligned.transform, scene))._asdict()
    onto, picture = scene.between(aligned.transform @ scene.unmirror), scene.picture
    height, width = scene.thumbnail.shape[:2]
    top, bottom, left, right = said.pop("shown")
    box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5
    _, photo_shown = shares_of_box(onto, (picture.shape[1], picture.shape[0]), (width, height), box)
    return Dense(
        **said,
        displacement=aligned.displacement,
        parallax=aligned.parallax,
        perspective=aligned.perspective,
        unevenness=unevenness(picture, apply(np.linalg.inv(onto), corners((width, height)))),
        photo_shown=photo_shown,
    )
