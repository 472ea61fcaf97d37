"""Builds trees over made local features as `index` does, and lets the features of edits vote as `lookup` does."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scaled import made, real
from benchmarks.scaled.figures import Figure
from benchmarks.scaled.real import RealPhotos
from benchmarks.scaled.structure import NEAREST, best_of, summary
from foundation.store.segments import (
    LOCAL,
    LOCAL_DESCRIPTORS,
    LOCAL_FILES,
    LOCAL_SCANN,
    LocalTree,
)
from foundation.vectors import exact_neighbours
from pipelines.index.local_files import create_local_files
from pipelines.index.local_scann import plan_local_trees, write_local_scann
from pipelines.index.mapped import RowsOnDisk
from pipelines.index.read_shards import LocalSizes
from pipelines.index.scann_tree import write_tree
from serving.match.candidates import VOTED
from serving.search import descriptor_index
from serving.search.descriptor_index import LENGTH, Neighbours, search_tree, tree_vectors
from serving.search.local_candidates import local_candidates
from serving.search.local_index import LocalIndex

# Fewer neighbours than vectors have: descriptors lie in fewer directions, and 32 span as many as the real ones.
NEIGHBOURS = 32
# Edits of all kinds of planted photos, the hard ones too: features find nearly all everyday ones.
ASKED = "asked-features.npz"
ASKED_ROWS = 50_000
# Made photos come in blocks: of each of so many real photos so many others.
BLOCK_PHOTOS, TIMES = 250, 4
QUERIES = 300
QUANTILES = 21
SAMPLED = 300
COMPARED_ROWS = 500_000


def write_feature_seeds(folder: str, seeds: RealPhotos, others: RealPhotos, planted: np.ndarray) -> None:
    """Keeps photos to make others of, with the neighbours of their descriptors, and those that are planted."""
    near = _neighbours(seeds.descriptors)
    for name, photos in (("seeds", seeds), ("planted", others)):
        np.savez(
            Path(folder, f"features-{name}.npz"),
            frames=photos.frames,
            starts=photos.starts,
            keypoints=photos.keypoints,
            descriptors=photos.descriptors,
            near=near if name == "seeds" else planted,
        )


def _neighbours(descriptors: np.ndarray) -> np.ndarray:
    """Returns the rows of the nearest others of each descriptor, int32 [n, NEIGHBOURS], nearly all of the true ones."""
    rows = len(descriptors)
    plan = replace(plan_local_trees(rows)[0], leaves_to_search=12)
    with tempfile.TemporaryDirectory(prefix="firstseen-") as name:
        tree = write_tree(
            Path(name, "tree"), RowsOnDisk(descriptors, tree_vectors), plan, neighbours=NEIGHBOURS, distance="cosine"
        )
        found = [search_tree(tree, descriptors[at : at + ASKED_ROWS], NEIGHBOURS + 1) for at in range(0, rows, ASKED_ROWS)]
    places = np.concatenate([one.places for one in found])
    # Each is near itself, but not always first, for hashes are rounded; a missing neighbour is the descriptor itself.
    own = np.arange(rows)[:, None]
    places = np.where(places < 0, own, places)
    order = np.argsort(places == own, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.take_along_axis(places, order, axis=1).astype(np.int32)


def read_seeds(folder: str, name: str) -> tuple[RealPhotos, np.ndarray]:
    """Returns photos that were kept, with the neighbours of their descriptors, or the rows of those that are planted."""
    with np.load(Path(folder, f"features-{name}.npz"), allow_pickle=False) as arrays:
        photos = RealPhotos([], np.empty((0, 0)), *(arrays[one] for one in ("frames", "starts", "keypoints", "descriptors")))
        return photos, arrays["near"]


def place_of(folder: str, features: int, way: str = "") -> Path:
    """Returns the folder that stands for the segment of so many features."""
    return Path(folder, f"features-{features}{way and '-'}{way}")


def write_features(folder: str, features: int) -> Figure:
    """Writes at least so many features of made photos into the files of a segment; planted ones come first."""
    place = place_of(folder, features)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    seeds, near = read_seeds(folder, "seeds")
    others, planted = read_seeds(folder, "planted")
    numbers = _chosen(seeds, features)
    owners, rows = [others] * len(planted) + [seeds] * len(numbers), [*planted.tolist(), *numbers.tolist()]
    counts = np.concatenate([np.diff(others.starts)[planted], np.diff(seeds.starts)[numbers]])
    frames = np.array([owner.frames[row] for owner, row in zip(owners, rows, strict=True)], np.uint16)
    files = create_local_files(place, LocalSizes(counts, np.zeros(len(counts), np.int64), frames))
    end = 0
    for row in planted:
        own = slice(*others.starts[row : row + 2])
        start, end = end, end + own.stop - own.start
        files.keypoints[start:end], files.descriptors[start:end] = others.keypoints[own], others.descriptors[own]
    for places, descriptors in _made(made.Maker(seeds.descriptors, near), seeds.starts, numbers):
        start, end = end, end + len(places)
        files.keypoints[start:end], files.descriptors[start:end] = seeds.keypoints[places], descriptors
        files.release()
    assert end == files.starts[-1]
    return {"photos": len(counts), "features": int(end)}


def _chosen(seeds: RealPhotos, features: int) -> np.ndarray:
    """Returns the real photo that each made photo is made of, int64: block by block, each of a block TIMES times."""
    generator, counts = np.random.default_rng(0), np.diff(seeds.starts)
    numbers: list[np.ndarray] = []
    total = 0
    while total < features:
        block = np.sort(generator.choice(len(counts), min(BLOCK_PHOTOS, len(counts)), replace=False))
        numbers.append(np.repeat(block, TIMES))
        total += TIMES * int(counts[block].sum())
    return np.concatenate(numbers)


def _made(maker: made.Maker, starts: np.ndarray, numbers: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the features of made photos in their order: which real ones they are made of, and descriptors."""
    for number, first in enumerate(range(0, len(numbers), BLOCK_PHOTOS * TIMES)):
        block = numbers[first : first + BLOCK_PHOTOS * TIMES : TIMES]
        places = np.concatenate([np.arange(starts[one], starts[one + 1]) for one in block])
        drawn = maker.draw(np.random.default_rng(number), places, TIMES)
        ends = np.cumsum(np.diff(starts)[block])
        for end, count in zip(ends, np.diff(starts)[block], strict=True):
            own = slice(end - count, end)
            descriptors = np.rint(drawn[own].transpose(1, 0, 2) * LENGTH).astype(np.int8)
            yield np.tile(places[own], TIMES), descriptors.reshape(-1, descriptors.shape[-1])


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
    index = LocalIndex(place_of(folder, features, way))
    opening = time.perf_counter() - started
    asked = real.read_asked(Path(folder, ASKED)).views
    passed, busy, ranks = [], [], []
    with _searching(searched):
        for number, views in enumerate(asked):
            # Once for what is read from disk, and once for the clocks.
            local_candidates([index], views, VOTED)
            begun, processor = time.perf_counter(), time.process_time()
            found = local_candidates([index], views, VOTED)
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
        "features_asked": round(float(np.mean([sum(map(len, views)) for views in asked]))),
    }


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


def structure_of(folder: str, features: int) -> Figure:
    """Returns how near the neighbours of made and of real descriptors are, and in how many directions they lie."""
    others, planted = read_seeds(folder, "planted")
    owner = np.repeat(np.arange(len(others.frames)), np.diff(others.starts))
    held_out = others.descriptors[~np.isin(owner, planted)]
    if not features:
        descriptors = read_seeds(folder, "seeds")[0].descriptors
    else:
        descriptors = np.load(place_of(folder, features) / LOCAL_DESCRIPTORS, mmap_mode="r", allow_pickle=False)
    generator = np.random.default_rng(0)
    asked = np.concatenate([_some(one, generator) for one in (descriptors, held_out)])
    found = np.empty((len(asked), 0), np.float32)
    for start in range(0, len(descriptors), COMPARED_ROWS):
        block = made.unit(descriptors[start : start + COMPARED_ROWS].astype(np.float32))
        found = best_of(found, exact_neighbours(asked, block, k=NEAREST + 1, distance="cosine")[1])
    own, strange = found[:SAMPLED, 1:], found[SAMPLED:, :-1]
    return {"rows": len(descriptors), "made": summary(own), "held_out": summary(strange)}


def _some(descriptors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    rows = np.sort(generator.choice(len(descriptors), SAMPLED, replace=False))
    return made.unit(descriptors[rows].astype(np.float32))
