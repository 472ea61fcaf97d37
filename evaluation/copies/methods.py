"""Searches the archive by other methods, to compare with: hashes, histograms, vectors alone, brute-force SIFT."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from evaluation import baselines, local_features
from evaluation.copies.answered import Answered, Found
from evaluation.grey import resize_grey
from evaluation.metrics import Similarity, by_vectors
from evaluation.search_method import Described
from foundation import vectors
from foundation.archives.folders import read_file
from foundation.encoder import SavedEncoder
from foundation.photos import local_features as features
from foundation.photos import photo

# Answers that are kept of each query: what ranks below is right no more, and only lengthens the curve.
TOP = 10
# The side of the squares that hashes and histograms are made of: pHash uses no finer one.
SIDE = baselines.DCT_SIDE
# SIFT compares every feature of a query with every feature of the archive: a thousand queries take half an hour.
SIFT_QUERIES, SIFT_QUERY_FEATURES = 500, 300
# The similarities of one block with the archive are held at a time.
BLOCK, SIFT_BLOCK = 500, 5


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to search: `describe` turns files into what `compare(queries, archive)` compares.

    `photo_bytes` is what it keeps of one archive photo; a slow one asks `most_queries` of them, `block` at a time.
    """

    name: str
    title: str
    describe: Callable[[Sequence[Path], bool], Described]
    compare: Callable[[Described, Described], Similarity]
    photo_bytes: float
    most_queries: int | None = None
    block: int = BLOCK


def plain_methods() -> list[Method]:
    """Returns the methods that no training is needed for; SIFT, the slowest, last."""
    hashed = partial(by_vectors, distance="euclidean")
    return [
        _by_squares("perceptual_hash", "pHash", baselines.perceptual_hash, hashed, photo_bytes=8),
        _by_squares("difference_hash", "dHash", baselines.difference_hash, hashed, photo_bytes=8),
        _by_squares("colour_histogram", "colour histogram", baselines.colour_histogram, hashed, photo_bytes=4 * 64),
        Method(
            name="sift",
            title="SIFT, brute force",
            describe=describe_by_sift,
            compare=local_features.by_local_features,
            photo_bytes=features.ARCHIVE_FEATURES * features.DESCRIPTOR,
            most_queries=SIFT_QUERIES,
            block=SIFT_BLOCK,
        ),
    ]


def encoder_method(encoder: SavedEncoder, *, title: str) -> Method:
    """Returns the search by the vectors of one encoder alone, compared exactly."""
    spec = encoder.spec
    return _by_squares(
        spec.encoder_id,
        title,
        encoder.encode,
        partial(by_vectors, distance=spec.distance),
        photo_bytes=4 * spec.dimension,
        size=spec.size,
        channels=spec.channels,
    )


def search(method: Method, archive: Sequence[Path], queries: Sequence[Path]) -> tuple[list[Answered], float]:
    """Returns the best ten photos of the archive for each query, named by their files, and milliseconds per query.

    The archive is described before the clock starts. Of equally near photos the order is that of their names.
    """
    held = method.describe(archive, False)
    started = time.perf_counter()
    similarity = method.compare(method.describe(queries, True), held)
    answered = []
    for start in range(0, len(queries), method.block):
        block = similarity(np.arange(start, min(start + method.block, len(queries))))
        nearest = vectors.nearest(block, min(TOP, len(archive)))
        for row, columns in zip(block, nearest, strict=True):
            answered.append(Answered("matched", [Found(archive[one].stem, float(row[one])) for one in columns]))
    return answered, 1_000 * (time.perf_counter() - started) / len(queries)


def describe_by_sift(paths: Sequence[Path], are_queries: bool) -> local_features.LocalFeatures:
    """Returns the features that the product extracts of its archive's photos, twice as many of a query."""
    most = SIFT_QUERY_FEATURES if are_queries else features.ARCHIVE_FEATURES
    found = []
    for path in paths:
        pixels = photo.decode(read_file(path), with_metadata=False).pixels
        size = features.frame_size(pixels.shape[1], pixels.shape[0])
        found.append(features.extract(resize_grey(pixels, *size, cv2.INTER_AREA), most=most).descriptors)
    # Of unit length but for rounding, as the comparison expects them.
    joined = np.concatenate([*found, np.empty((0, features.DESCRIPTOR), np.uint8)]).astype(np.float32) / features.SCALE
    return local_features.LocalFeatures(joined, np.array([len(one) for one in found], np.int64))


def _by_squares(
    name: str,
    title: str,
    describe: Callable[[np.ndarray], np.ndarray],
    compare: Callable[[np.ndarray, np.ndarray], Similarity],
    *,
    photo_bytes: float,
    size: int = SIDE,
    channels: int = 3,
) -> Method:
    """Returns a method that describes whole photos, resized to a square as the product resizes them."""

    def describe_files(paths: Sequence[Path], _are_queries: bool) -> np.ndarray:
        blocks = (paths[start : start + BLOCK] for start in range(0, len(paths), BLOCK))
        return np.concatenate([describe(_squares(block, size, channels)) for block in blocks])

    return Method(name=name, title=title, describe=describe_files, compare=compare, photo_bytes=photo_bytes)


def _squares(paths: Sequence[Path], size: int, channels: int) -> np.ndarray:
    """Returns the photos as uint8 [n, size, size, channels]."""
    squares = (photo.decode(read_file(p), size=size, channels=channels, with_metadata=False).pixels for p in paths)
    return np.stack(list(squares))
