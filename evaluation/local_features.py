"""Searches by local features, as was usual before encoders: SIFT keypoints are matched one by one."""

from dataclasses import dataclass

import cv2
import numpy as np

from evaluation.grey import resize_grey
from evaluation.metrics import Similarity
from evaluation.search_method import SearchMethod

DESCRIPTOR = 128
# So few keypoints a photo keep the search of a test split below some minutes.
KEYPOINTS = 32
LEAST_SIDE = 112
# The cosines of one block with another take 20 MB.
QUERY_BLOCK, GALLERY_BLOCK = 100, 50
# A match counts by this power of its cosine.
SELECTIVITY = 8
NO_MATCH = -1.0
# Every keypoint of a query is compared with every keypoint of the test split.
MAX_QUERIES = 1_000


@dataclass(frozen=True)
class LocalFeatures:
    """RootSIFT descriptors, float32 [descriptors, 128], photo after photo; `counts` says how many each photo has."""

    descriptors: np.ndarray
    counts: np.ndarray

    @property
    def ends(self) -> np.ndarray:
        """Where the descriptors of each photo start, and the last one's end: int64 [photos + 1]."""
        return np.concatenate([[0], np.cumsum(self.counts)])


def local_feature_search() -> SearchMethod:
    """Returns the search by SIFT matching."""
    return SearchMethod(
        name="local_features",
        title="local features (SIFT)",
        distance="matches",
        dimension=KEYPOINTS * DESCRIPTOR,
        describe=local_features,
        compare=by_local_features,
        max_queries=MAX_QUERIES,
    )


def local_features(photos: np.ndarray) -> LocalFeatures:
    """Returns the RootSIFT descriptors of at most 32 keypoints of each photo; a blank photo has none.

    Photos are enlarged to at least 112 pixels a side: at 28 SIFT finds next to nothing.
    Sources: Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004; Arandjelović and Zisserman,
    "Three things everyone should know to improve object retrieval", CVPR 2012 (RootSIFT).
    """
    sift = cv2.SIFT.create(nfeatures=KEYPOINTS)
    side = max(LEAST_SIDE, photos.shape[1])
    found = [_describe_keypoints(sift, resize_grey(photo, side, side, cv2.INTER_CUBIC)) for photo in photos]
    counts = np.array([len(descriptors) for descriptors in found], np.int64)
    return LocalFeatures(np.concatenate([*found, np.empty((0, DESCRIPTOR), np.float32)]), counts)


def by_local_features(queries: LocalFeatures, gallery: LocalFeatures) -> Similarity:
    """Returns the search by matching: the mean, over a query's descriptors, of the best match in the other photo.

    A match counts by the eighth power of the cosine, so that a few good ones outweigh many middling ones. The
    similarity is 0 to 1, and −1 where either photo has no keypoints: it matches nothing.
    Source: Tolias, Avrithis and Jégou, "To Aggregate or Not to Aggregate", ICCV 2013 (selective match kernels).
    """

    def similarity(indices: np.ndarray) -> np.ndarray:
        starts = range(0, len(indices), QUERY_BLOCK)
        return np.concatenate([_match(_take(queries, indices[s : s + QUERY_BLOCK]), gallery) for s in starts])

    return similarity


def _describe_keypoints(sift: cv2.SIFT, grey: np.ndarray) -> np.ndarray:
    """Returns RootSIFT descriptors, float32 [at most KEYPOINTS, 128], of unit length."""
    _, descriptors = sift.detectAndCompute(grey, None)
    if descriptors is None:
        return np.empty((0, DESCRIPTOR), np.float32)
    descriptors = descriptors[:KEYPOINTS]
    return np.sqrt(descriptors / descriptors.sum(axis=1, keepdims=True))


def _take(features: LocalFeatures, photos: np.ndarray) -> LocalFeatures:
    """Returns the features of these photos, in this order."""
    ends = features.ends
    rows = [np.arange(ends[photo], ends[photo + 1]) for photo in photos]
    return LocalFeatures(features.descriptors[np.concatenate(rows)], features.counts[photos])


def _match(queries: LocalFeatures, gallery: LocalFeatures) -> np.ndarray:
    """Returns the similarity float32 [queries, gallery] of a block of queries."""
    asked, held = np.flatnonzero(queries.counts), np.flatnonzero(gallery.counts)
    matched = np.full((len(queries.counts), len(gallery.counts)), NO_MATCH, np.float32)
    for start in range(0, len(held) if len(asked) else 0, GALLERY_BLOCK):
        photos = held[start : start + GALLERY_BLOCK]
        best = _best_cosines(queries, gallery, photos) ** SELECTIVITY
        means = np.add.reduceat(best, queries.ends[asked], axis=1) / queries.counts[asked]
        # Sums in float32 depend on where a photo stands in a block: rounded, the same photo is as near everywhere.
        matched[np.ix_(asked, photos)] = means.T.round(5)
    return matched


def _best_cosines(queries: LocalFeatures, gallery: LocalFeatures, photos: np.ndarray) -> np.ndarray:
    """Returns the best cosine of each descriptor asked in each of these photos, float32 [photos, descriptors]."""
    ends = gallery.ends
    first = ends[photos[0]]
    cosines = gallery.descriptors[first : ends[photos[-1] + 1]] @ queries.descriptors.T
    # One maximum per photo takes a fifth of the time of np.maximum.reduceat.
    return np.stack([cosines[ends[photo] - first : ends[photo + 1] - first].max(axis=0) for photo in photos])
