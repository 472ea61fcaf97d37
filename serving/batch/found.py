"""Searches a group of segments for a chunk of queries, and merges what several groups found."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from serving.batch.arrays import joined, read_arrays, split, write_arrays
from serving.batch.open_segments import OpenSegments
from serving.batch.prepared import Asked, Prepared
from serving.match.candidates import nearest_vectors
from serving.search.local_candidates import descriptors_of
from serving.search.merge import Nearest, merge
from serving.search.near_features import NEIGHBOURS, NearFeatures, nearest_columns

# Near features of a query that has none, and the prefixes of their contents.
NOTHING = tuple(np.empty((0, NEIGHBOURS), dtype) for dtype in (np.int64, np.float32, np.uint16, np.uint16, np.uint32))
# Groups whose findings are in memory at a time, beside what they came to: some 20 MB each for 128 queries.
MERGED_TOGETHER = 4


@dataclass(frozen=True, eq=False)
class Found:
    """What some segments hold near the queries of a chunk, `asked` in their order: contents, and who votes for what.

    `near` are the `k` nearest contents, arrays [asked, columns], None at a closer look. `features` are near to those of
    the queries, one after the other, `counts` int64 [asked] of each; `prefixes` uint32 [features, NEIGHBOURS] are the
    first bytes of the contents that they lie in, by which other segments find what they say of the same contents.

    A query takes 85 KB of the file of a group, 220 KB at a closer look: 12 bytes for each of 8 neighbours of 900
    features, or of 2,400.
    """

    k: int
    near: Nearest | None
    counts: np.ndarray
    features: NearFeatures
    prefixes: np.ndarray

    def near_of_each(self) -> list[tuple[NearFeatures, np.ndarray]]:
        """Returns the near features and prefixes of each query."""
        parts = [split(array, self.counts) for array in (*self.features, self.prefixes)]
        return [(NearFeatures(*arrays), prefixes) for *arrays, prefixes in zip(*parts, strict=True)]

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        near = {} if self.near is None else {f"near_{name}": array for name, array in self.near._asdict().items()}
        rest = {"k": np.array(self.k), "counts": self.counts, "prefixes": self.prefixes}
        write_arrays(path, {**rest, **self.features._asdict(), **near})

    @classmethod
    def read(cls, path: Path) -> "Found":
        """Reads what `write` wrote, equal to the last bit; raises ArtifactRefusedError for a damaged file."""
        arrays = read_arrays(path)
        near = Nearest(arrays["near_similarities"], arrays["near_contents"]) if "near_contents" in arrays else None
        features = NearFeatures(*(arrays[name] for name in NearFeatures._fields))
        return cls(int(arrays["k"]), near, arrays["counts"], features, arrays["prefixes"])


def search(segments: OpenSegments, prepared: Prepared, *, k: int, pool: ThreadPoolExecutor) -> Found:
    """Returns what a group of segments holds near the queries; `k` contents by their vectors (`MatchOptions.top_k`).

    Memory beside the segments is 0.3 MB a query, twice as much at a closer look.
    """
    segments.refresh()
    near = None if prepared.is_close else _nearest(segments, prepared.asked, k)
    # ScaNN and OpenBLAS release the GIL.
    found = list(pool.map(partial(_near_features, segments), prepared.asked))
    *features, prefixes = (joined([one[column] for one in found], empty) for column, empty in enumerate(NOTHING))
    return Found(k, near, np.array([len(one[0]) for one in found], np.int64), NearFeatures(*features), prefixes)


def merge_found(found: Iterable[Found]) -> Found:
    """Returns what all the groups hold, at least one; in any order, and of parts merged before.

    Some are merged at a time, so that of very many groups few are in memory: take them from their files one by one.
    Takes half a millisecond a query and group.
    """
    left = iter(found)
    merged = next(left)
    while some := list(islice(left, MERGED_TOGETHER)):
        merged = _merged([merged, *some])
    return merged


def _merged(found: Sequence[Found]) -> Found:
    first = found[0]
    near = None if first.near is None else merge([one.near for one in found if one.near], first.k)
    every = [(*one.features, one.prefixes) for one in found]
    arrays = [np.concatenate(parts, axis=1) for parts in zip(*every, strict=True)]
    columns = nearest_columns(arrays[0], arrays[1])
    *features, prefixes = (np.take_along_axis(array, columns, axis=1) for array in arrays)
    return Found(first.k, near, first.counts, NearFeatures(*features), prefixes)


def _nearest(segments: OpenSegments, asked: Sequence[Asked], k: int) -> Nearest:
    """Returns the nearest contents, batch by batch as a `Matcher` asks for them."""
    found: list[Nearest] = []
    for _, batch in groupby(asked, lambda one: one.batch):
        found += nearest_vectors(segments, np.stack([one.vector for one in batch]), k)
    if not found:
        return Nearest(np.empty((0, 0), np.float32), np.empty((0, 0), "S32"))
    return Nearest(np.stack([one.similarities for one in found]), np.stack([one.contents for one in found]))


def _near_features(segments: OpenSegments, asked: Asked) -> Sequence[np.ndarray]:
    if asked.features is None:
        return NOTHING
    near = segments.near_features(descriptors_of(asked.features.views()))
    return *near, segments.prefixes(near.features)
