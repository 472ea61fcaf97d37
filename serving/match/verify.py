"""Verifies that a query was made from a photo of the archive: matches, transform, alignment, agreement of pixels."""

from collections.abc import Sequence

import numpy as np

from serving.match.evidence import VIEWS, Dense, Evidence, QueryPhoto, StoredPhoto, View
from serving.match.geometry.agreement import Agreement, agree
from serving.match.geometry.alignment import Alignment, Scene, align, compare
from serving.match.geometry.matching import Matches, consistent, match
from serving.match.geometry.transform import apply, is_possible, mirroring, overlap, sample, scaling, shares_of_box

# So few matches that tell one story are met by chance, once in a hundred strangers; pixels decide after that.
LEAST_INLIERS = 4
# So many need no other view.
ENOUGH_INLIERS = 30
THRESHOLD = 2.5
# Below so many, a perspective would fit anything. It
# must explain so many matches more than an affine map, before alignment looks closer.
PERSPECTIVE_MATCHES = 8
PERSPECTIVE_GAIN = 1.25


def verify(query: QueryPhoto, stored: StoredPhoto, *, views: Sequence[View] = VIEWS) -> Evidence | None:
    """Returns what speaks for the query being made from the stored photo, or None where nothing does.

    `views` are tried in order, until one has matches enough. Of a query with several photos in it, each is verified
    by itself.
    """
    best: tuple[View, Matches, int] | None = None
    for view in views:
        matches = match(query.view(view), stored.features)
        kept = consistent(matches)
        if best is None or len(kept) > len(best[1]):
            best = view, matches.take(kept), len(matches)
        if len(best[1]) >= ENOUGH_INLIERS:
            break
    if best is None or len(best[1]) < LEAST_INLIERS:
        return None
    return _examine(query, stored, *best)


def _examine(query: QueryPhoto, stored: StoredPhoto, view: View, matches: Matches, tried: int) -> Evidence | None:
    frames = (query.view(view).width, query.view(view).height), (stored.features.width, stored.features.height)
    first = _first(matches, frames)
    if first is None:
        return None
    # From here on the query is seen in pixels of its full size, as it is; the view's mirror becomes part of the map.
    sizes = (query.width, query.height), (stored.width, stored.height)
    to_frame = scaling(sizes[0], frames[0])
    if view.is_mirrored:
        to_frame = mirroring(frames[0][0]) @ to_frame
    transform, model = scaling(frames[1], sizes[1]) @ first[0] @ to_frame, first[1]
    dense = None
    if stored.thumbnail is not None:
        found = _compare(query, stored, view, transform, model == "perspective")
        if found is not None:
            transform, model, dense = found
    ahead = scaling(sizes[1], frames[1]) @ transform @ np.linalg.inv(to_frame)
    if not is_possible(ahead, *frames):
        return None
    distances = np.linalg.norm(apply(ahead, matches.query[:, :2].astype(float)) - matches.photo[:, :2], axis=1)
    inliers = distances < 2 * THRESHOLD
    if _places(matches.photo[inliers]) < LEAST_INLIERS:
        return None
    query_share, photo_share = overlap(transform, *sizes)
    return Evidence(
        inliers=_places(matches.photo[inliers]),
        matches=tried,
        residual=float(np.median(distances[inliers])),
        transform=transform / transform[2, 2],
        model=model,
        view=view,
        query_size=sizes[0],
        photo_size=sizes[1],
        query_overlap=query_share,
        photo_overlap=photo_share,
        dense=dense,
    )


def _first(matches: Matches, frames: tuple[tuple[int, int], tuple[int, int]]) -> tuple[np.ndarray, str] | None:
    """Returns the first transform between the frames that is possible, and whether it is affine or perspective."""
    from_, to = matches.query[:, :2], matches.photo[:, :2]
    found = sample(from_, to, threshold=THRESHOLD, perspective=False)
    affine = _count(found, from_, to) if found is not None and is_possible(found, *frames) else 0
    if len(matches) >= PERSPECTIVE_MATCHES and affine < len(matches) / PERSPECTIVE_GAIN:
        other = sample(from_, to, threshold=THRESHOLD, perspective=True)
        if other is not None and is_possible(other, *frames) and _count(other, from_, to) > PERSPECTIVE_GAIN * affine:
            return other, "perspective"
    return (found, "affine") if affine >= LEAST_INLIERS else None


def _count(transform: np.ndarray, from_: np.ndarray, to: np.ndarray) -> int:
    return _places(to[np.linalg.norm(apply(transform, from_.astype(float)) - to, axis=1) < 2 * THRESHOLD])


def _places(keypoints: np.ndarray) -> int:
    """Returns how many distinct places keypoints have: one place has several where angles are ambiguous."""
    return len(np.unique(np.round(keypoints[:, :2]), axis=0))


def _compare(
    query: QueryPhoto, stored: StoredPhoto, view: View, transform: np.ndarray, perspective: bool
) -> tuple[np.ndarray, str, Dense] | None:
    """Returns the refined transform, its model, and what the pixels say; None where nothing can be aligned."""
    assert stored.thumbnail is not None
    scene = Scene.of(query, stored.thumbnail, (stored.width, stored.height), view, transform)
    found = align(transform, scene, perspective=perspective)
    if found is None:
        return None
    said = agree(compare(found.transform, scene))
    return found.transform, found.model, _dense(found, said, scene)


def _dense(found: Alignment, said: Agreement, scene: Scene) -> Dense:
    top, bottom, left, right = said.shown
    height, width = said.difference.shape
    box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5
    onto = scene.between(found.transform @ scene.unmirror)
    query_shown, photo_shown = shares_of_box(onto, scene.picture.shape[1::-1], (width, height), box)
    middle, far = np.percentile(found.displacements, (50, 90))
    return Dense(
        blocks=said.blocks,
        agreement=said.agreement,
        correlation=said.correlation,
        tracked=found.tracked,
        displacement=(float(middle), float(far)),
        roughness=found.roughness,
        perspective=found.perspective,
        tone=said.tone,
        saturation=said.saturation,
        differing=said.differing,
        difference=said.difference,
        query_shown=query_shown,
        photo_shown=photo_shown,
    )
