"""Verifies that a query was made from a photo of the archive: matches, transform, alignment, agreement of pixels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from serving.match.evidence import VIEWS, Dense, Evidence, QueryPhoto, Size, StoredPhoto, View
from serving.match.geometry.agreement import agree
from serving.match.geometry.alignment import Alignment, Scene, align, compare
from serving.match.geometry.guesses import guesses, resemblance
from serving.match.geometry.matching import Matches, consistent, match
from serving.match.geometry.transform import (
    apply,
    fit,
    is_possible,
    mirroring,
    overlap,
    sample,
    scaling,
    shares_of_box,
)

# So few matches that tell one story are met by chance, the first number once in a hundred strangers; the second, all
# that a small crop may have, needs pixels that agree in so many blocks.
LEAST_INLIERS = 4
LEAST_MATCHES = 3
SURE_AGREEMENT, SURE_BLOCKS = 0.8, 8
# Without any keypoint so much has to agree; guesses that resemble the photo less are not even aligned.
ALONE_AGREEMENT, ALONE_BLOCKS = 0.7, 12
LEAST_RESEMBLANCE = 0.25
# Fewer matches fix a similarity at best.
AFFINE_MATCHES = 7
# With so many no other view is tried. A building may be symmetrical, and match its mirror image a little too.
ENOUGH_INLIERS = 30
# How far an inlier may be off, in pixels of the photo's feature frame, while a transform is sought.
THRESHOLD = 2.5
# A perspective is tried only with so many matches, and must explain so many times more of them than an affine map.
PERSPECTIVE_MATCHES = 8
PERSPECTIVE_GAIN = 1.25


class _Seen(NamedTuple):
    """A view of the query, all matches that it has, those of them that tell one story, and both feature frames."""

    view: View
    tried: Matches
    matches: Matches
    frames: tuple[Size, Size]


class _Found(NamedTuple):
    """A transform between full photos, its model, and what pixels say of it."""

    transform: np.ndarray
    model: str
    dense: Dense | None


def verify(
    query: QueryPhoto, stored: StoredPhoto, *, views: Sequence[View] = VIEWS, thorough: bool = False
) -> Evidence | None:
    """Returns what speaks for the query being made from the stored photo, or None where nothing does.

    `views` are tried in order, until one has matches enough; whoever knows from the search which one was found gives
    it alone. Of a query with several photos in it, each is verified by itself. A `thorough` look tries what pixels say
    where keypoints say too little, which takes some times as long.
    """
    tried = _try_views(query, stored, views)
    seen = max(tried, key=lambda one: len(one.matches))
    first = _first_transform(seen) if len(seen.matches) >= LEAST_MATCHES else None
    found = _refined(query, stored, seen, first) if first else None
    evidence = _evidence(query, stored, seen, found) if found else None
    if thorough and stored.thumbnail is not None and not (evidence and _is_sure(evidence.dense)):
        return _by_pixels(query, stored, tried) or evidence
    return evidence


def _evidence(query: QueryPhoto, stored: StoredPhoto, seen: _Seen, found: _Found) -> Evidence | None:
    """Returns the evidence for a transform, or None if too little speaks for it."""
    ahead = _between_frames(query, stored, seen, found.transform)
    if not is_possible(ahead, *seen.frames):
        return None
    to = seen.matches.photo[:, :2]
    distances = _distances(ahead, seen.matches)
    near = distances < 2 * THRESHOLD
    inliers = _places(to[near])
    if inliers < (LEAST_MATCHES if _is_sure(found.dense) else LEAST_INLIERS) and not _is_sure_alone(found.dense):
        return None
    sizes = (query.width, query.height), (stored.width, stored.height)
    query_overlap, photo_overlap = overlap(found.transform, *sizes)
    return Evidence(
        inliers=inliers,
        matches=len(seen.tried),
        residual=float(np.median(distances[near])) if near.any() else 0.0,
        transform=found.transform / found.transform[2, 2],
        model=found.model,
        view=seen.view,
        query_size=sizes[0],
        photo_size=sizes[1],
        query_overlap=query_overlap,
        photo_overlap=photo_overlap,
        dense=found.dense,
    )


def _by_pixels(query: QueryPhoto, stored: StoredPhoto, tried: Sequence[_Seen]) -> Evidence | None:
    """Returns the evidence for the guess that pixels speak for most, if they do."""
    guessed = [(seen, one) for seen in tried for one in guesses(seen.tried, seen.frames)]
    likeness = [_likeness(query, stored, seen, one) for seen, one in guessed]
    best = int(np.argmax(likeness))
    if likeness[best] < LEAST_RESEMBLANCE:
        return None
    seen, first = guessed[best]
    found = _refined(query, stored, seen, _Found(first, "affine", None))
    return _evidence(query, stored, seen, found) if _is_sure_alone(found.dense) else None


def _likeness(query: QueryPhoto, stored: StoredPhoto, seen: _Seen, first: np.ndarray) -> float:
    transform, scene = _scene(query, stored, seen, first)
    return resemblance(compare(transform, scene))


def _is_sure(dense: Dense | None) -> bool:
    return dense is not None and dense.agreement >= SURE_AGREEMENT and dense.blocks >= SURE_BLOCKS


def _is_sure_alone(dense: Dense | None) -> bool:
    """Whether pixels prove a copy without any keypoint."""
    agreement = max(dense.agreement, dense.coarse_agreement) if dense else 0
    return dense is not None and agreement >= ALONE_AGREEMENT and dense.blocks >= ALONE_BLOCKS


def _try_views(query: QueryPhoto, stored: StoredPhoto, views: Sequence[View]) -> list[_Seen]:
    tried: list[_Seen] = []
    for view in views:
        features = query.view(view)
        matches = match(features, stored.features)
        frames = (features.width, features.height), (stored.features.width, stored.features.height)
        tried.append(_Seen(view, matches, matches.take(consistent(matches)), frames))
        if len(tried[-1].matches) >= ENOUGH_INLIERS:
            break
    return tried


def _first_transform(seen: _Seen) -> _Found | None:
    """Returns the transform between the feature frames that most matches agree with, if it is a possible one."""
    from_, to = seen.matches.query[:, :2], seen.matches.photo[:, :2]
    if len(seen.matches) < AFFINE_MATCHES:
        similarity = fit("similarity", from_.astype(float), to.astype(float), np.ones(len(to))).transform
        return _Found(similarity, "similarity", None) if _agreeing(similarity, seen) >= LEAST_MATCHES else None
    affine = sample(from_, to, threshold=THRESHOLD, perspective=False)
    agreeing = 0 if affine is None else _agreeing(affine, seen)
    if len(seen.matches) >= PERSPECTIVE_MATCHES and agreeing * PERSPECTIVE_GAIN < len(seen.matches):
        perspective = sample(from_, to, threshold=THRESHOLD, perspective=True)
        if perspective is not None and _agreeing(perspective, seen) > PERSPECTIVE_GAIN * agreeing:
            return _Found(perspective, "perspective", None)
    return _Found(affine, "affine", None) if affine is not None and agreeing >= LEAST_INLIERS else None


def _agreeing(transform: np.ndarray, seen: _Seen) -> int:
    """Returns how many matches agree with a transform; none with an impossible one."""
    if not is_possible(transform, *seen.frames):
        return 0
    return _places(seen.matches.photo[_distances(transform, seen.matches) < 2 * THRESHOLD])


def _distances(transform: np.ndarray, matches: Matches) -> np.ndarray:
    return np.asarray(np.linalg.norm(apply(transform, matches.query[:, :2]) - matches.photo[:, :2], axis=1))


def _places(keypoints: np.ndarray) -> int:
    """Returns how many distinct places keypoints have: one place has several where angles are ambiguous."""
    return len(np.unique(np.round(keypoints[:, :2]), axis=0))


def _refined(query: QueryPhoto, stored: StoredPhoto, seen: _Seen, first: _Found) -> _Found:
    """Returns the first transform as one between full photos, aligned by their pixels where there is a thumbnail."""
    if stored.thumbnail is None:
        return _Found(_between_photos(query, stored, seen, first.transform), first.model, None)
    transform, scene = _scene(query, stored, seen, first.transform)
    aligned = align(transform, scene, perspective=first.model == "perspective")
    if aligned is None:
        return _Found(transform, first.model, None)
    return _Found(aligned.transform, aligned.model, _dense(aligned, scene))


def _scene(query: QueryPhoto, stored: StoredPhoto, seen: _Seen, first: np.ndarray) -> tuple[np.ndarray, Scene]:
    """Returns a transform between feature frames as one between full photos, and the pictures to compare by it."""
    assert stored.thumbnail is not None
    transform = _between_photos(query, stored, seen, first)
    return transform, Scene.of(query, stored.thumbnail, (stored.width, stored.height), seen.view, transform)


def _between_photos(query: QueryPhoto, stored: StoredPhoto, seen: _Seen, transform: np.ndarray) -> np.ndarray:
    of_query, of_photo = _to_frames(query, stored, seen)
    return np.asarray(np.linalg.inv(of_photo) @ transform @ of_query)


def _to_frames(query: QueryPhoto, stored: StoredPhoto, seen: _Seen) -> tuple[np.ndarray, np.ndarray]:
    """Returns the transforms of both full photos to their feature frames, the view's mirror included."""
    of_query = scaling((query.width, query.height), seen.frames[0])
    mirror = mirroring(seen.frames[0][0]) if seen.view.is_mirrored else np.eye(3)
    return mirror @ of_query, scaling((stored.width, stored.height), seen.frames[1])


def _between_frames(query: QueryPhoto, stored: StoredPhoto, seen: _Seen, transform: np.ndarray) -> np.ndarray:
    of_query, of_photo = _to_frames(query, stored, seen)
    return np.asarray(of_photo @ transform @ np.linalg.inv(of_query))


def _dense(aligned: Alignment, scene: Scene) -> Dense:
    """Returns what the pixels say of an alignment."""
    said = agree(compare(aligned.transform, scene))
    onto, picture = scene.between(aligned.transform @ scene.unmirror), scene.picture
    height, width = said.difference.shape
    top, bottom, left, right = said.shown
    box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5
    shown = shares_of_box(onto, (picture.shape[1], picture.shape[0]), (width, height), box)
    middle, far = np.percentile(aligned.displacements, (50, 90)).tolist()
    return Dense(
        blocks=said.blocks,
        agreement=said.agreement,
        coarse_agreement=said.coarse_agreement,
        correlation=said.correlation,
        tracked=aligned.tracked,
        displacement=(middle, far),
        parallax=aligned.parallax,
        perspective=aligned.perspective,
        tone=said.tone,
        saturation=said.saturation,
        differing=said.differing,
        difference=said.difference,
        query_shown=shown[0],
        photo_shown=shown[1],
    )
