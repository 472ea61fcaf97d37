"""Aligns a query's picture with a photo's thumbnail to a fraction of a pixel, and says which kind of map that takes."""

from typing import Any, NamedTuple

import cv2
import numpy as np

from serving.match.evidence import QueryPhoto, View
from serving.match.geometry.transform import apply, fit, mirroring, sample, scaling

# Places are followed in windows of this side, on a grid of this step, over this many halvings.
WINDOW, STEP, HALVINGS = 21, 12, 2
# Windows flatter than this (standard deviation, grey levels) cannot be followed; ones that still differ by more than
# this after that (mean difference, in standard deviations) were not found.
LEAST_TEXTURE = 4.0
MOST_DIFFERENCE = 0.75
LEAST_PLACES = 6
# A richer model must fit better by this share and this many pixels, else noise would always choose the richest.
BETTER_SHARE, BETTER_PIXELS = 0.85, 0.08
NORMAL_LEVELS = 40.0
FOLLOWING: dict[str, Any] = {
    "winSize": (WINDOW, WINDOW),
    "maxLevel": HALVINGS,
    "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.02),
}


class Scene(NamedTuple):
    """Two photos as they are aligned: pictures uint8 [h, w, 3], and how pixels of the full photos lie in them.

    The picture is of the query as its view has it, mirrored or inverted.
    """

    picture: np.ndarray
    thumbnail: np.ndarray
    to_picture: np.ndarray
    to_thumbnail: np.ndarray

    @classmethod
    def of(cls, query: QueryPhoto, thumbnail: np.ndarray, photo_size: tuple[int, int], view: View) -> "Scene":
        """Returns the pictures of a query and of a photo."""
        picture = 255 - query.picture if view.is_inverted else query.picture
        to_picture = scaling((query.width, query.height), picture.shape[1::-1])
        if view.is_mirrored:
            picture = cv2.flip(picture, 1)
            to_picture = mirroring(picture.shape[1]) @ to_picture
        return cls(picture, thumbnail, to_picture, scaling(photo_size, thumbnail.shape[1::-1]))


class Comparison(NamedTuple):
    """Two pictures in one frame, uint8 [h, w, 3]: the thumbnail, and the query warped onto it where `mask` is set."""

    thumbnail: np.ndarray
    warped: np.ndarray
    mask: np.ndarray


class Places(NamedTuple):
    """Places that were followed: where they lie in both full photos, float64 [n, 2] each, and how many were tried.

    The query's are those of the view, so that a mirrored query too can be a similarity.
    """

    query: np.ndarray
    photo: np.ndarray
    tried: int


class Alignment(NamedTuple):
    """The refined transform, picture to thumbnail, its model, and the places that it was fitted to.

    `displacements` float64 [n] are their distances from where it puts them, in pixels of the thumbnail, and
    `perspective` is how far perspective moves places from the best affine map.
    """

    transform: np.ndarray
    model: str
    places: Places
    displacements: np.ndarray
    perspective: float


def compare(transform: np.ndarray, scene: Scene) -> Comparison:
    """Returns the picture warped onto the thumbnail, both as sharp as the coarser of them."""
    picture, thumbnail = scene.picture, scene.thumbnail
    height, width = thumbnail.shape[:2]
    size = picture.shape[1::-1]
    scale = _scale(transform, (width, height))
    if scale < 0.7:
        # Fine detail would become noise if pixels were skipped: a smaller picture averages them first.
        reduced = (max(8, round(size[0] * scale)), max(8, round(size[1] * scale)))
        picture = cv2.resize(picture, reduced, interpolation=cv2.INTER_AREA)
        transform, size = transform @ scaling(reduced, size), reduced
    elif scale > 1.2:
        thumbnail = cv2.GaussianBlur(thumbnail, (0, 0), 0.5 * float(np.sqrt(min(scale, 8.0) ** 2 - 1)))
    warped = cv2.warpPerspective(picture, transform, (width, height), borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(np.full(size[::-1], 255, np.uint8), transform, (width, height), flags=cv2.INTER_NEAREST)
    return Comparison(thumbnail, warped, mask)


def align(first: np.ndarray, scene: Scene, *, perspective: bool) -> Alignment | None:
    """Returns the transform refined from a first one, or None where the pictures have too little in common.

    Source: Lucas and Kanade, IJCAI 1981, in Bouguet's pyramids: each place of a grid is followed by itself, and
    a transform fitted to what most of them did.
    """
    unmirror = _unmirror(scene)
    places = _follow(first @ unmirror, scene, unmirror)
    if places is None:
        return None
    pixel = _pixel(scene)
    better = sample(places.query, places.photo, threshold=1.5 / pixel, perspective=perspective)
    if better is None or abs(np.linalg.det(better)) < 1e-9:
        return None
    again = _follow(better, scene, unmirror)
    return _choose(again, pixel, unmirror) if again else None


def _unmirror(scene: Scene) -> np.ndarray:
    """Returns the mirror of the query's full size, where its view is mirrored."""
    if scene.to_picture[0, 0] > 0:
        return np.eye(3)
    width = round(-scene.picture.shape[1] / scene.to_picture[0, 0])
    return mirroring(width)


def _pixel(scene: Scene) -> float:
    """Returns how many pixels of the thumbnail one of the full photo is."""
    return float(max(scene.to_thumbnail[0, 0], scene.to_thumbnail[1, 1]))


def _follow(transform: np.ndarray, scene: Scene, unmirror: np.ndarray) -> Places | None:
    to_picture = scene.to_picture @ unmirror
    onto = scene.to_thumbnail @ transform @ np.linalg.inv(to_picture)
    pair = compare(onto, scene)
    one, deviation = _normal(pair.thumbnail)
    other, _ = _normal(pair.warped)
    points = _grid(pair.mask, deviation)
    if len(points) < LEAST_PLACES:
        return None
    found, status, error = cv2.calcOpticalFlowPyrLK(one, other, points, None, **FOLLOWING)
    good = (status.ravel() == 1) & (error.ravel() < MOST_DIFFERENCE * NORMAL_LEVELS)
    if good.sum() < LEAST_PLACES:
        return None
    in_query = apply(np.linalg.inv(onto @ to_picture), found[good].astype(float))
    return Places(in_query, apply(np.linalg.inv(scene.to_thumbnail), points[good].astype(float)), len(points))


def _normal(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns a picture in grey with local mean and contrast made equal, uint8, and its local deviation, float32."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = cv2.blur(grey, (WINDOW, WINDOW))
    deviation = np.sqrt(np.maximum(cv2.blur(grey * grey, (WINDOW, WINDOW)) - mean * mean, 0))
    normal = (grey - mean) * (NORMAL_LEVELS / (deviation + 1.5)) + 128
    return np.clip(normal, 0, 255).astype(np.uint8), deviation


def _grid(mask: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    margin = WINDOW // 2 - 2
    inside = cv2.erode(mask, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8), borderValue=0)
    height, width = mask.shape
    area = float((inside > 0).sum())
    # A small crop is looked at more closely, so that there is something to fit to.
    step = int(np.clip(np.sqrt(area / 150), 4, STEP))
    ys, xs = np.mgrid[step // 2 : height : step, step // 2 : width : step]
    ys, xs = ys.ravel(), xs.ravel()
    kept = (inside[ys, xs] > 0) & (deviation[ys, xs] > LEAST_TEXTURE)
    return np.stack([xs[kept], ys[kept]], axis=1).astype(np.float32)


def _choose(places: Places, pixel: float, unmirror: np.ndarray) -> Alignment:
    """Returns the simplest model that fits the places, with distances in pixels of the thumbnail."""
    weights = np.ones(len(places.query))
    photo = places.photo * pixel
    fits = {name: fit(name, places.query, photo, weights) for name in ("similarity", "affine", "perspective")}
    spreads = {name: float(np.percentile(one.distances, 65)) for name, one in fits.items()}
    model = "similarity"
    for richer in ("affine", "perspective"):
        if spreads[richer] < BETTER_SHARE * spreads[model] - BETTER_PIXELS:
            model = richer
    chosen = fits[model]
    moved = apply(fits["perspective"].transform, places.query) - apply(fits["affine"].transform, places.query)
    transform = np.diag([1 / pixel, 1 / pixel, 1]) @ chosen.transform @ unmirror
    bent = float(np.percentile(np.linalg.norm(moved, axis=1), 90))
    return Alignment(transform, model, places, chosen.distances, bent)


def _scale(transform: np.ndarray, size: tuple[int, int]) -> float:
    back = np.linalg.inv(transform)
    middle = np.array([[size[0] / 2, size[1] / 2], [size[0] / 2 + 1, size[1] / 2], [size[0] / 2, size[1] / 2 + 1]])
    one, across, down = apply(back, middle)
    area = abs(float(np.linalg.det(np.stack([across - one, down - one]))))
    return 1 / max(np.sqrt(area), 1e-6)
