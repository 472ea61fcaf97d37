"""Aligns a query's picture with a photo's thumbnail to a fraction of a pixel, and says which kind of map that takes."""

from typing import NamedTuple

import cv2
import numpy as np

from serving.match.evidence import QueryPhoto, View
from serving.match.geometry.transform import apply, fit, is_invertible, mirroring, sample, scaling

# Places are followed in windows of this side, on a grid of one of these steps, over this many halvings: the first time
# a quarter of the places is enough.
WINDOW, FIRST_STEP, STEP, HALVINGS = 21, 24, 12, 2
# Windows flatter than this (standard deviation, grey levels) cannot be followed; ones that still differ by more than
# this after that (mean difference, in standard deviations) were not found.
LEAST_TEXTURE = 4.0
MOST_DIFFERENCE = 0.75
LEAST_PLACES = 6
# Of the wrong photo hardly anything is found; trying further would cost as much again.
LEAST_FOLLOWED = 0.25
# A richer model must fit better by this share and this many pixels, else noise would always choose the richest.
BETTER_SHARE, BETTER_PIXELS = 0.85, 0.08
# One standard deviation, as grey levels of a picture whose local contrast was made equal.
NORMAL_LEVELS = 40.0
# Of windows, in standard deviations: those that differ by less are sure, those that differ by more count little.
SURE, WEIGHED = 0.2, 0.3
# Below this deviation, grey levels, the query is flat where the photo is not.
FLAT = 1.0
# Longer displacements, pixels of the thumbnail, count as this.
FARTHEST = 4.0
UNTIL = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.02)


class Scene(NamedTuple):
    """Two photos as they are aligned: pictures uint8 [h, w, 3], about as sharp, and where full photos lie in them.

    The picture is of the query as its view has it, mirrored or inverted; `unmirror` mirrors its full size where the
    view does. `usable`, uint8 [h, w] of the picture, is not 0 where pixels may prove something; None for everywhere.
    """

    picture: np.ndarray
    thumbnail: np.ndarray
    to_picture: np.ndarray
    to_thumbnail: np.ndarray
    unmirror: np.ndarray
    usable: np.ndarray | None = None

    @classmethod
    def of(
        cls, query: QueryPhoto, thumbnail: np.ndarray, photo_size: tuple[int, int], view: View, first: np.ndarray
    ) -> "Scene":
        """Returns the pictures of a query and of a photo, at the sizes that a first transform between them asks for."""
        size, unmirror = (query.width, query.height), mirroring(query.width) if view.is_mirrored else np.eye(3)
        to_thumbnail = scaling(photo_size, thumbnail.shape[1::-1])
        # How many pixels of the thumbnail one of the whole picture becomes.
        scale = _scale(to_thumbnail @ first, thumbnail.shape[1::-1]) * size[0] / query.picture.shape[1]
        # Fine detail would become noise if pixels were skipped: a smaller picture averages them first.
        picture = query.pyramid.at(max(0, round(np.log2(1 / scale) + 0.1)))
        if scale > 1.2:
            thumbnail = cv2.GaussianBlur(thumbnail, (0, 0), 0.5 * float(np.sqrt(min(scale, 8.0) ** 2 - 1)))
        picture = 255 - picture if view.is_inverted else picture
        picture = cv2.flip(picture, 1) if view.is_mirrored else picture
        usable = _usable(query, picture.shape[1::-1], view)
        return cls(picture, thumbnail, scaling(size, picture.shape[1::-1]), to_thumbnail, unmirror, usable)

    def between(self, transform: np.ndarray) -> np.ndarray:
        """Returns a transform between the full photos, the query's as its view has it, as one between the pictures."""
        return self.to_thumbnail @ transform @ np.linalg.inv(self.to_picture)


def _usable(query: QueryPhoto, size: tuple[int, int], view: View) -> np.ndarray | None:
    if query.unusable is None:
        return None
    usable = cv2.resize((~query.unusable).astype(np.uint8) * 255, size, interpolation=cv2.INTER_NEAREST)
    return cv2.flip(usable, 1) if view.is_mirrored else usable


class Comparison(NamedTuple):
    """Two pictures in one frame, uint8 [h, w, 3]: the thumbnail, and the query warped onto it where `mask` is set.

    `proving` is the part of the mask in which agreement proves something; None for all of it.
    """

    thumbnail: np.ndarray
    warped: np.ndarray
    mask: np.ndarray
    proving: np.ndarray | None = None


class Places(NamedTuple):
    """Places that were followed: where they lie in both full photos, float64 [n, 2] each, and how many were tried.

    Those of the query are in its view, so that a mirrored query too can be a similarity. `errors`, float64 [n], is how
    much the windows around them still differ, in standard deviations.
    """

    query: np.ndarray
    photo: np.ndarray
    errors: np.ndarray
    tried: int


class Alignment(NamedTuple):
    """The refined transform between the full photos, the simplest model that fits, and how well it does.

    All distances are those of the surer half of the places that were followed, in pixels of the thumbnail:
    `displacement` is how far the median place lies from where the transform puts it, `perspective` how far the best
    perspective moves places from the best affine map, its 90th percentile, and `parallax` how far neighbours moved
    together.
    """

    transform: np.ndarray
    model: str
    displacement: float
    perspective: float
    parallax: float


def compare(transform: np.ndarray, scene: Scene) -> Comparison:
    """Returns the picture warped onto the thumbnail, by a transform between the full photos."""
    size, onto = scene.thumbnail.shape[1::-1], scene.between(transform @ scene.unmirror)
    mask = _mask(scene.picture, onto, size)
    proving = None if scene.usable is None else cv2.warpPerspective(scene.usable, onto, size, flags=cv2.INTER_NEAREST)
    return Comparison(scene.thumbnail, _warp(scene.picture, onto, size), mask, proving)


def _warp(picture: np.ndarray, transform: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.warpPerspective(picture, transform, size, borderMode=cv2.BORDER_REPLICATE)


def _mask(picture: np.ndarray, transform: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    whole = np.full(picture.shape[:2], 255, np.uint8)
    return cv2.warpPerspective(whole, transform, size, flags=cv2.INTER_NEAREST)


def align(first: np.ndarray, scene: Scene, *, perspective: bool) -> Alignment | None:
    """Returns the transform refined from a first one, or None where the pictures have too little in common.

    Source: Lucas and Kanade, IJCAI 1981, in Bouguet's pyramids: each place of a grid is followed by itself, and
    a transform fitted to what most of them did.
    """
    greys = cv2.cvtColor(scene.picture, cv2.COLOR_RGB2GRAY), cv2.cvtColor(scene.thumbnail, cv2.COLOR_RGB2GRAY)
    places = _follow(first @ scene.unmirror, scene, *greys, step=FIRST_STEP)
    if places is None or len(places.query) < LEAST_FOLLOWED * places.tried:
        return None
    # Distances are measured in pixels of the thumbnail, on square ones: the photo's own.
    pixel = float(scene.to_thumbnail[[0, 1], [0, 1]].max())
    better = sample(places.query, places.photo, threshold=1.5 / pixel, perspective=perspective)
    if better is None or not is_invertible(better):
        return None
    again = _follow(better, scene, *greys, step=STEP)
    chosen = _choose(again, pixel, scene.unmirror) if again else None
    return chosen if chosen and is_invertible(chosen.transform) else None


def _follow(
    transform: np.ndarray, scene: Scene, picture: np.ndarray, thumbnail: np.ndarray, *, step: int
) -> Places | None:
    onto, size = scene.between(transform), thumbnail.shape[::-1]
    one, deviation = _normal(thumbnail)
    other, deviation_there = _normal(_warp(picture, onto, size))
    points = _grid(_mask(picture, onto, size), deviation, step)
    if len(points) < LEAST_PLACES:
        return None
    found, status, error = cv2.calcOpticalFlowPyrLK(
        one, other, points, points.copy(), winSize=(WINDOW, WINDOW), maxLevel=HALVINGS, criteria=UNTIL
    )
    found, status, error = np.asarray(found), np.asarray(status), np.asarray(error)
    good = (status.ravel() == 1) & (error.ravel() < MOST_DIFFERENCE * NORMAL_LEVELS)
    # What was painted over in one colour has nothing to follow, and noise would be followed in its place.
    good &= deviation_there[points[:, 1].astype(int), points[:, 0].astype(int)] > FLAT
    if good.sum() < LEAST_PLACES:
        return None
    in_query = apply(np.linalg.inv(onto @ scene.to_picture), found[good].astype(float))
    in_photo = apply(np.linalg.inv(scene.to_thumbnail), points[good].astype(float))
    return Places(in_query, in_photo, error.ravel()[good] / NORMAL_LEVELS, len(points))


def _normal(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns a grey picture with local mean and contrast made equal, uint8, and its local deviation, float32."""
    grey = grey.astype(np.float32)
    mean = cv2.blur(grey, (WINDOW, WINDOW))
    deviation = np.sqrt(np.maximum(cv2.blur(grey * grey, (WINDOW, WINDOW)) - mean * mean, 0))
    normal = (grey - mean) * (NORMAL_LEVELS / (deviation + 1.5)) + 128
    return np.clip(normal, 0, 255).astype(np.uint8), deviation


def _grid(mask: np.ndarray, deviation: np.ndarray, step: int) -> np.ndarray:
    margin = WINDOW // 2 - 2
    inside = cv2.erode(mask, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8), borderValue=0)
    height, width = mask.shape
    area = float((inside > 0).sum())
    # A small crop is looked at more closely, so that there is something to fit to.
    step = int(np.clip(np.sqrt(area / 150), 4, step))
    ys, xs = np.mgrid[step // 2 : height : step, step // 2 : width : step]
    ys, xs = ys.ravel(), xs.ravel()
    kept = (inside[ys, xs] > 0) & (deviation[ys, xs] > LEAST_TEXTURE)
    return np.stack([xs[kept], ys[kept]], axis=1).astype(np.float32)


def _choose(places: Places, pixel: float, unmirror: np.ndarray) -> Alignment:
    """Returns the simplest model that fits the places, with distances in pixels of the thumbnail."""
    weights = 1 / (1 + (places.errors / WEIGHED) ** 4)
    photo = places.photo * pixel
    fits = {name: fit(name, places.query, photo, weights) for name in ("similarity", "affine", "perspective")}
    spreads = {name: float(np.percentile(one.distances, 65)) for name, one in fits.items()}
    model = "similarity"
    for richer in ("affine", "perspective"):
        if spreads[richer] < BETTER_SHARE * spreads[model] - BETTER_PIXELS:
            model = richer
    chosen = fits[model]
    # What was covered is followed to anywhere: the better half of the places says how exact the map is.
    sure = places.errors <= max(np.median(places.errors), SURE)
    query, photo = places.query[sure], photo[sure]
    moved = apply(fits["perspective"].transform, query) - apply(fits["affine"].transform, query)
    return Alignment(
        transform=np.diag([1 / pixel, 1 / pixel, 1]) @ chosen.transform @ unmirror,
        model=model,
        displacement=float(np.median(chosen.distances[sure])),
        perspective=float(np.percentile(np.linalg.norm(moved, axis=1), 90)),
        parallax=_parallax(photo, apply(chosen.transform, query) - photo),
    )


def _parallax(at: np.ndarray, off: np.ndarray) -> float:
    """Returns how far neighbouring places moved together, beyond a smooth bend of the whole: float, pixels.

    A lens bends a photo smoothly, and noise moves each place by itself; a camera that moved shifts things as wholes.
    """
    x, y = (at - at.mean(axis=0)).T / max(float(np.ptp(at)), 1e-9)
    terms = np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=1)
    if len(at) < 3 * terms.shape[1]:
        return float(np.median(np.linalg.norm(off, axis=1)))
    used = np.ones((len(at), 1))
    for _ in range(3):
        left = off - terms @ np.linalg.lstsq(terms * used, off * used, rcond=None)[0]
        lengths = np.linalg.norm(left, axis=1, keepdims=True)
        used = 1 / (1 + (lengths / max(float(np.median(lengths)), 0.02)) ** 2)
    left *= np.minimum(1, FARTHEST / np.maximum(lengths, 1e-9))
    # Nearer windows share pixels, and with them their noise.
    apart = np.linalg.norm(at[:, None] - at[None], axis=2)
    neighbours = (apart > WINDOW - 1) & (apart < 1.6 * WINDOW)
    together = float((left @ left.T)[neighbours].mean()) if neighbours.any() else 0.0
    # A few places that were followed astray, side by side, are no reason for doubt while most lie right.
    return min(float(np.sqrt(max(together, 0.0))), float(np.median(lengths)))


def _scale(transform: np.ndarray, size: tuple[int, int]) -> float:
    back = np.linalg.inv(transform)
    middle = np.array([[size[0] / 2, size[1] / 2], [size[0] / 2 + 1, size[1] / 2], [size[0] / 2, size[1] / 2 + 1]])
    one, across, down = apply(back, middle)
    area = abs(float(np.linalg.det(np.stack([across - one, down - one]))))
    return 1 / max(np.sqrt(area), 1e-6)
