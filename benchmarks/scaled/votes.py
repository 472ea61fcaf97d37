"""Builds trees over local features as `index` does, and lets the features of edits vote as `lookup` does."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.scaled import real
from benchmarks.scaled.features import ASKED, place_of
from benchmarks.scaled.figures import Figure
from foundation.photos.compressed_features import CompressedFeatures
from foundation.store.segments import LOCAL_DESCRIPTORS, LOCAL_SCANN
from pipelines.index.local_scann import plan_local_trees, write_local_scann
from serving.match.candidates import VOTED
from serving.search.local_candidates import LocalCandidate, descriptors_of, local_candidates
from serving.search.local_index import LocalIndex
from serving.search.near_features import SearchedSegment, near_features

QUANTILES = 21


def build_trees(folder: str, features: int) -> Figure:
    """Builds the trees over the features, beside them."""
    place = place_of(folder, features)
    shutil.rmtree(place / LOCAL_SCANN, ignore_errors=True)
    started = time.perf_counter()
    descriptors = np.load(place / LOCAL_DESCRIPTORS, mmap_mode="r", allow_pickle=False)
    trees = plan_local_trees(len(descriptors))
    recall = write_local_scann(place / LOCAL_SCANN, descriptors, trees)
    files = [path for path in place.rglob("*") if path.is_file()]
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "trees": len(trees),
        "leaves": trees[0].leaves,
        "leaves_to_search": trees[0].leaves_to_search,
        "recall": round(recall, 4),
        "disk_bytes": sum(path.stat().st_size for path in files),
        "tree_bytes": sum(path.stat().st_size for path in files if LOCAL_SCANN in str(path)),
    }


def vote(folder: str, features: int, searched: int = 0) -> Figure:
    """Lets the features of edits vote in the trees, a query after the other.

    Each tree searches as many leaves as it was planned to, unless `searched` says how many.
    """
    started = time.perf_counter()
    descriptors = np.load(place_of(folder, features) / LOCAL_DESCRIPTORS, mmap_mode="r", allow_pickle=False)
    trees = [
        replace(tree, leaves_to_search=searched or tree.leaves_to_search) for tree in plan_local_trees(len(descriptors))
    ]
    segment = SearchedSegment(0, LocalIndex(place_of(folder, features), trees))
    segment.local.load_trees()
    opening = time.perf_counter() - started
    asked = real.read_asked(Path(folder, ASKED)).views
    passed, busy, ranks = [], [], []
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
