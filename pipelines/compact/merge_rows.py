"""Merges vectors and local features of several segments: each content once, in the order of the hashes, on disk."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foundation.store.content_hashes import find_hashes
from pipelines.compact.sources import LocalSource, Source, held_anywhere
from pipelines.index.local_files import LocalArrays, LocalFiles, create_local_files
from pipelines.index.mapped import empty_on_disk, release
from pipelines.index.read_shards import LocalSizes
from serving.search.segment_tables import SegmentTables

# Rows that are in memory at a time: with their local features some 80 MB.
BLOCK_ROWS = 4_096


class Chosen(NamedTuple):
    """The contents that a merge holds, S32 ascending, and where each is taken from: a source, and a row of it."""

    contents: np.ndarray
    source: np.ndarray
    row: np.ndarray

    def between(self, start: int, end: int) -> "Chosen":
        """Returns some of them that follow each other."""
        return Chosen(self.contents[start:end], self.source[start:end], self.row[start:end])

    def of(self, source: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the places, int64 ascending, of the contents that are taken from one source, and their rows."""
        places = np.flatnonzero(self.source == source)
        return places, self.row[places]


def choose(sources: Sequence[Source], others: Sequence[SegmentTables], dropped: np.ndarray) -> Chosen:
    """Returns which contents of the sources are held from now on, but for the `dropped`, S32 ascending.

    Of one that several sources hold, the first with local features counts, or else the first. One without features is
    left to those of the `others`, which stay, that hold it with some.
    """
    contents = np.unique(np.concatenate([np.asarray(one.tables.hashes) for one in sources]))
    contents = contents[find_hashes(dropped, contents) < 0]
    source, row = np.full((2, len(contents)), -1)
    has_features = np.zeros(len(contents), bool)
    for number, one in enumerate(sources):
        rows = one.tables.rows_of(contents)
        features = (rows >= 0) & one.has_features(rows)
        better = (rows >= 0) & ((source < 0) | (features & ~has_features))
        source[better], row[better] = number, rows[better]
        has_features |= features
    kept = has_features | ~held_anywhere(others, contents, with_features=True)
    return Chosen(contents[kept], source[kept], row[kept])


def merge_vectors(sources: Sequence[Source], chosen: Chosen, *, dimension: int) -> np.ndarray:
    """Returns the vectors of the chosen contents, float32 [contents, dimension], on disk: some blocks are in memory."""
    vectors = empty_on_disk((len(chosen.contents), dimension), np.float32)
    for number, one in enumerate(sources):
        places, rows = chosen.of(number)
        for start in range(0, len(places), BLOCK_ROWS):
            some = slice(start, start + BLOCK_ROWS)
            vectors[places[some]] = one.vectors[rows[some]]
            release(vectors)
            release(one.vectors)
    return vectors


def merge_local_files(folder: Path, sources: Sequence[Source], chosen: Chosen) -> LocalFiles | None:
    """Writes the local features of the chosen contents, if any source has some; nothing is held in memory."""
    if not len(chosen.contents) or not any(one.local for one in sources):
        return None
    sizes = _sizes(sources, chosen)
    files = create_local_files(folder, sizes)
    for number, one in enumerate(sources):
        if one.local:
            places, rows = chosen.of(number)
            if len(places):
                _copy(one.local, files, places, rows)
    return LocalFiles(int((sizes.frames[:, 0] > 0).sum()), files.descriptors)


def _sizes(sources: Sequence[Source], chosen: Chosen) -> LocalSizes:
    count = len(chosen.contents)
    sizes = LocalSizes(np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros((count, 2), np.uint16))
    for number, one in enumerate(sources):
        if one.local:
            places, rows = chosen.of(number)
            sizes.features[places] = one.local.starts[rows + 1] - one.local.starts[rows]
            sizes.thumbnail_bytes[places] = one.local.thumbnail_starts[rows + 1] - one.local.thumbnail_starts[rows]
            sizes.frames[places] = one.local.frames[rows]
    return sizes


def _copy(local: LocalSource, files: LocalArrays, places: np.ndarray, rows: np.ndarray) -> None:
    """Copies the features of some rows of a source to their places."""
    # A large segment that small ones are merged with keeps most of its rows together: they are copied as one.
    breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(rows) != 1)) + 1
    pauses = np.arange(BLOCK_ROWS, len(places), BLOCK_ROWS)
    for first, end in pairwise([0, *np.union1d(breaks, pauses).tolist(), len(places)]):
        place, row, count = int(places[first]), int(rows[first]), end - first
        here, there = _span(files.starts, place, count), _span(local.starts, row, count)
        files.keypoints[here] = local.keypoints[there]
        files.descriptors[here] = local.descriptors[there]
        here, there = _span(files.thumbnail_starts, place, count), _span(local.thumbnail_starts, row, count)
        files.thumbnails[here] = local.thumbnails[there]
        if not end % BLOCK_ROWS:
            files.release()
            local.release()
    files.release()


def _span(starts: np.ndarray, first: int, count: int) -> slice:
    return slice(int(starts[first]), int(starts[first + count]))
