"""Builds trees over local features as `index` does, and lets the features of edits vote as `lookup` does."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scaled import real
from benchmarks.scaled.features import ASKED, place_of
from benchmarks.scaled.figures import Figure
from foundation.photos.compressed_features import CompressedFeatures
from foundation.store.segments import LOCAL, LOCAL_DESCRIPTORS, LOCAL_FILES, LOCAL_SCANN, LocalTree
from pipelines.index.local_scann import plan_local_trees, write_local_scann
from serving.match.candidates import VOTED
from serving.search import descriptor_index
from serving.search.descriptor_index import Neighbours
from serving.search.local_candidates import LocalCandidate, descriptors_of, local_candidates
from serving.search.local_index import LocalIndex
from serving.search.near_features import SearchedSegment, near_features

QUANTILES = 21


def build_trees(folder: str, features: int, most: int, leaves: float = 1.0) -> Figure:
    """Builds the trees over the features, of at most `most` each and so many times the leaves that are planned."""
    place = place_of(folder, features)
    descriptors = np.load(place / LOCAL_DESCRIPTORS, mmap_mode="r", allow_pickle=False)
    planned = plan_local_trees(len(descriptors), most=most)
    trees = [replace(tree, leaves=round(tree.leaves * leaves)) for tree in planned]
    return _build(place_of(folder, features, way_of(most, leaves)), place, trees)


def way_of(most: int, leaves: float = 1.0) -> str:
    """Returns the name of a way to build trees."""
    return f"{most}" if leaves == 1 else f"{most}-{leaves}"


def remove(folder: str, features: int) -> None:
    """Removes so many features and their trees: 10 GB of 100 million."""
    for place in Path(folder).glob(f"features-{features}*"):
        if place.name.removeprefix(f"features-{features}")[:1] in ("", "-"):
            shutil.rmtree(place)


def _build(target: Path, source: Path, trees: list[LocalTree]) -> Figure:
    """Builds trees over the features in a folder, in another that shares their files."""
    shutil.rmtree(target, ignore_errors=True)
    (target / LOCAL).mkdir(parents=True)
    for name in LOCAL_FILES:
        os.link(source / name, target / name)
    started = time.perf_counter()
    descriptors = np.load(target / LOCAL_DESCRIPTORS, mmap_mode="r", allow_pickle=False)
    recall = write_local_scann(target / LOCAL_SCANN, descriptors, trees)
    files = [path for path in target.rglob("*") if path.is_file()]
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "trees": len(trees),
        "leaves": trees[0].leaves,
        "leaves_to_search": trees[0].leaves_to_search,
        "recall": round(recall, 4),
        "disk_bytes": sum(path.stat().st_size for path in files),
        "tree_bytes": sum(path.stat().st_size for path in files if LOCAL_SCANN in str(path)),
    }


def vote(folder: str, features: int, way: str, searched: int = 0) -> Figure:
    """Lets the features of edits vote in the trees that were built in one way, a query after the other.

    Each tree searches as many leaves as it was planned to, unless `searched` says how many.
    """
    started = time.perf_counter()
    segment = SearchedSegment(0, LocalIndex(place_of(folder, features, way)))
    opening = time.perf_counter() - started
    asked = real.read_asked(Path(folder, ASKED)).views
    passed, busy, ranks = [], [], []
    with _searching(searched):
        for number, views in enumerate(asked):
            # Once for what is read from disk, and once for the clocks.
            _voted(segment, views)
            begun, processor = time.perf_counter(), time.process_time()
            found = _voted(segment, views)
            passed.append(time.perf_counter() - begun)
            busy.append(time.process_time() - processor)
            ranks.append(next((rank for rank, one in enumerate(found) if one.row == number), VOTED))
    return {
        "opening_seconds": round(opening, 2),
        "planted_first": round(float(np.mean(np.equal(ranks, 0))), 4),
        "planted_in_12": round(float(np.mean(np.less(ranks, VOTED))), 4),
        "ms": round(1e3 * float(np.median(passed)), 2),
        "processor_ms": round(1e3 * float(np.median(busy)), 2),
        # Of all queries, the least first and the most last.
        "processor_ms_quantiles": np.round(1e3 * np.quantile(busy, np.linspace(0, 1, QUANTILES)), 2).tolist(),
        "queries": len(asked),
        "features_asked": round(float(np.mean([sum(map(len, views)) for views in asked]))),
    }


def _voted(segment: SearchedSegment, views: Sequence[CompressedFeatures]) -> list[LocalCandidate]:
    return local_candidates(views, near_features([segment], descriptors_of(views)), VOTED)


@contextmanager
def _searching(leaves: int) -> Iterator[None]:
    """Lets every tree search so many leaves, or as many as it was planned to where that is 0."""

    def search(tree: Any, descriptors: np.ndarray, k: int) -> Neighbours:
        return plain(_WithLeaves(tree, leaves), descriptors, k)

    plain = descriptor_index.search_tree
    descriptor_index.search_tree = search if leaves else plain
    try:
        yield
    finally:
        descriptor_index.search_tree = plain


class _WithLeaves:
    """ScaNN's searcher, asked to look into another number of leaves than the one it was built with."""

    def __init__(self, tree: Any, leaves: int):
        self._tree = tree
        self._leaves = leaves
        self.size = tree.size

    def search_batched_parallel(self, *told: Any, **named: Any) -> Any:
        return self._tree.search_batched_parallel(*told, leaves_to_search=self._leaves, **named)
