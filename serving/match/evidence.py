"""Holds what is compared, a query and a photo of the archive, and what the comparison came to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from foundation.photos.compressed_features import CompressedFeatures, compress
from foundation.photos.local_features import LocalFeatures, inverted, mirrored
from foundation.photos.query_features import close_features, query_features
from foundation.photos.thumbnail import decode_thumbnail
from serving.match.geometry.transform import apply, corners
from serving.match.pyramid import Pyramid

# With fewer keypoints a photo shows so little that the archive may hold it unnoticed.
LEAST_FEATURES = 8
# Width and height, in pixels.
Size = tuple[int, int]


class View(NamedTuple):
    """How a query is looked at: as it is, or as its mirror image, its negative, or both."""

    is_mirrored: bool = False
    is_inverted: bool = False


VIEWS = (View(), View(is_mirrored=True), View(is_inverted=True), View(is_mirrored=True, is_inverted=True))


class QueryPhoto:
    """A query as it is verified: its features in each view, a smaller picture of it, and its size.

    `picture` is uint8 [height, width, 3], of any size; a lookup has it at most `CLOSE_SIDE` pixels wide or high, more
    than an archive's thumbnail, since the photo may be a small part of it. `width` and `height` are those of the full
    photo, which the transform speaks of. `is_close` says that whatever may prove a copy is tried. `unusable`, bool
    [height, width] of the picture, is where pixels prove nothing; None where all of them may.
    """

    def __init__(
        self,
        width: int,
        height: int,
        features: LocalFeatures,
        picture: np.ndarray,
        *,
        is_close: bool = False,
        unusable: np.ndarray | None = None,
    ):
        self.width = width
        self.height = height
        self.picture = picture
        self.is_close = is_close
        self.unusable = unusable
        self._features = features
        self._views: dict[View, CompressedFeatures] = {}
        self.pyramid = Pyramid(picture)

    @classmethod
    def of(cls, picture: np.ndarray, *, width: int, height: int) -> "QueryPhoto":
        """Returns the query of that picture, with the features of its whole frame."""
        return cls(width, height, query_features(picture), picture)

    @cached_property
    def closer(self) -> "QueryPhoto":
        """The query for a closer look: with more features and more guesses, at several times the cost.

        A query that is looked at closely from the start is its own.
        """
        if self.is_close:
            return self
        return QueryPhoto(self.width, self.height, close_features(self.picture), self.picture, is_close=True)

    def without(self, area: np.ndarray) -> "QueryPhoto":
        """Returns the query without what it shows in an area, bool [height, width] of the picture.

        It has no features there, and pixels there prove nothing.
        """
        unusable = area if self.unusable is None else area | self.unusable
        features = features_outside(self._features, area)
        return QueryPhoto(self.width, self.height, features, self.picture, is_close=self.is_close, unusable=unusable)

    @property
    def features(self) -> int:
        """The number of its keypoints."""
        return len(self._features)

    @property
    def local_features(self) -> LocalFeatures:
        """Its features, as they were extracted."""
        return self._features

    @property
    def is_simple(self) -> bool:
        """Whether the photo shows hardly anything that tells it from others."""
        return self.features < LEAST_FEATURES

    def view(self, view: View) -> CompressedFeatures:
        """Returns the features as they would be extracted from this view; they are made once, for all candidates."""
        if view not in self._views:
            self._views[view] = seen_as(self._features, view)
        return self._views[view]


def seen_as(features: LocalFeatures, view: View) -> CompressedFeatures:
    """Returns the features of a query as they would be extracted from a view of it."""
    seen = mirrored(features) if view.is_mirrored else features
    return compress(inverted(seen) if view.is_inverted else seen)


def features_outside(features: LocalFeatures, area: np.ndarray) -> LocalFeatures:
    """Returns the features of a query that do not lie in an area, bool [height, width] of its picture."""
    frame, size = (features.width, features.height), np.array(area.shape[::-1])
    places = np.floor((features.keypoints[:, :2] + 0.5) * (size / frame)).astype(int)
    columns, rows = np.clip(places, 0, size - 1).T
    kept = ~area[rows, columns]
    return replace(features, keypoints=features.keypoints[kept], descriptors=features.descriptors[kept])


@dataclass(frozen=True, eq=False)
class StoredPhoto:
    """A photo as the archive holds it: its features, a thumbnail as JPEG, empty if there is none, and its full size.

    The size stands among the photo's columns, which are read for few candidates: most are strangers, and have none.
    """

    features: CompressedFeatures
    thumbnail_jpeg: bytes
    read_size: Callable[[], Size]

    @cached_property
    def size(self) -> Size:
        """Width and height of the full photo."""
        return self.read_size()

    @cached_property
    def thumbnail(self) -> Pyramid | None:
        """The thumbnail's pixels, if there is one; decoded when pixels are first compared."""
        return Pyramid(decode_thumbnail(self.thumbnail_jpeg)) if self.thumbnail_jpeg else None


@dataclass(frozen=True, eq=False)
class Dense:
    """What the pixels say, from a comparison of the aligned query with the thumbnail block by block.

    `agreement` is the share of the `blocks` textured ones that correlate above 0.7.

    In pixels of the thumbnail, `displacement` is how far the median place lies from where the transform puts it, of a
    copy a fraction of one; `parallax` how far neighbours moved together, beyond a smooth bend, as things do that are
    nearer or farther than others; and `perspective` how far the best perspective moves places from the best affine map.

    In levels, 0 to 255, `tone` is how far colours moved where both agree, `colour` how far so with brightness set
    aside, and `unevenness` the standard deviation of the colours around the photo, 0 where there is nothing;
    `saturation` is the query's colourfulness divided by the photo's.

    `differing` is the share of the overlap that differs; `difference`, float32 [h, w] of the thumbnail's size, says
    where, from 0 to 1, and is NaN outside of the overlap. `added` is the share that shows what neither other colours
    nor blur explain, and `look_of_added` are measures by name of how much this looks like a part of the photo, as text
    and boxes do not; there are none where hardly anything was added. `softened` is the share of the photo's sharp parts
    that lost more of it than the rest. `photo_shown` is the photo's overlap less the margins that differ all over, as
    where the photo was cropped before it was pasted.
    """

    blocks: int
    agreement: float
    displacement: float
    parallax: float
    perspective: float
    tone: float
    colour: float
    unevenness: float
    saturation: float
    differing: float
    difference: np.ndarray
    added: float
    look_of_added: Mapping[str, float]
    softened: float
    photo_shown: float

    def agrees(self, *, agreement: float, blocks: int) -> bool:
        """Whether so large a share of at least so many blocks agrees."""
        return self.agreement >= agreement and self.blocks >= blocks


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks for a query being made from a photo of the archive.

    `transform` is float64 [3, 3], query to photo, in pixels of both at full size (centres lie on whole numbers),
    mirroring included; `model` is the simplest that fits: "similarity", "affine" or "perspective". The overlaps are
    shares of the query's and of the photo's area. `residual` is the inliers' median distance in pixels of the photo's
    feature frame, 0 where pixels alone are the proof and there is no inlier. `dense` is None where the archive keeps no
    thumbnail.
    """

    inliers: int
    matches: int
    residual: float
    transform: np.ndarray
    model: str
    view: View
    query_size: Size
    photo_size: Size
    query_overlap: float
    photo_overlap: float
    dense: Dense | None

    @property
    def is_mirrored(self) -> bool:
        """Whether the query shows the photo mirrored."""
        return self.view.is_mirrored

    @property
    def is_inverted(self) -> bool:
        """Whether the query shows the photo's negative."""
        return self.view.is_inverted

    @property
    def agreement(self) -> float:
        """The share of textured blocks that correlate, 0 where nothing could be compared."""
        return self.dense.agreement if self.dense else 0.0

    @cached_property
    def quad(self) -> np.ndarray:
        """The photo's corners in the query, float64 [4, 2], in its pixels; they may lie outside of it."""
        return apply(np.linalg.inv(self.transform), corners(self.photo_size))

    @cached_property
    def jacobian(self) -> np.ndarray:
        """The transform's linear part at the middle of the query, float64 [2, 2], without the mirror."""
        width, height = self.query_size
        x, y = (width - 1) / 2, (height - 1) / 2
        h = self.transform / self.transform[2, 2]
        w = h[2] @ (x, y, 1)
        at = (h[:2] @ (x, y, 1)) / w
        linear = (h[:2, :2] - np.outer(at, h[2, :2])) / w
        return linear @ np.diag([-1.0, 1.0]) if self.is_mirrored else linear

    @property
    def scale(self) -> float:
        """How many pixels of the photo one pixel of the query is: above 1 the query is the smaller one."""
        return float(np.sqrt(abs(np.linalg.det(self.jacobian))))

    @property
    def stretch(self) -> float:
        """How much more the query is stretched along one direction than across it; 1 where proportions are kept."""
        long, short = np.linalg.svd(self.jacobian, compute_uv=False)
        return float(long / max(short, 1e-12))

    @property
    def skew(self) -> float:
        """How far the query's sides are from a right angle in the photo, as a cosine: 0 where they keep it."""
        linear = self.jacobian
        return abs(float(linear[:, 0] @ linear[:, 1])) / max(float(np.linalg.norm(linear, axis=0).prod()), 1e-12)

    @property
    def rotation(self) -> float:
        """How far the query is turned, degrees from -180 to 180, clockwise on the screen."""
        linear = self.jacobian
        return -float(np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])))
