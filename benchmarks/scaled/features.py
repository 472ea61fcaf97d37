"""Writes local features of made photos into the files of a segment, as many as are wanted."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.scaled import made
from benchmarks.scaled.figures import Figure
from benchmarks.scaled.real import RealPhotos
from benchmarks.scaled.structure import NEAREST, best_of, summary
from foundation.store.segments import LOCAL_DESCRIPTORS
from foundation.vectors import exact_neighbours
from pipelines.index.local_files import create_local_files
from pipelines.index.local_scann import plan_local_trees
from pipelines.index.mapped import RowsOnDisk
from pipelines.index.read_shards import LocalSizes
from pipelines.index.scann_tree import write_tree
from serving.search.descriptor_index import LENGTH
from serving.search.descriptor_tree import search_tree, tree_vectors

# Fewer neighbours than vectors have: descriptors lie in fewer directions, and 32 span as many as the real ones.
NEIGHBOURS = 32
# Edits of all kinds of planted photos, the hard ones too: features find nearly all everyday ones.
ASKED = "asked-features.npz"
ASKED_ROWS = 50_000
# Made photos come in blocks: of each of so many real photos so many others.
BLOCK_PHOTOS, TIMES = 250, 4
QUERIES = 300
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
        found = [
            search_tree(tree, descriptors[at : at + ASKED_ROWS], NEIGHBOURS + 1) for at in range(0, rows, ASKED_ROWS)
        ]
    places = np.concatenate([one.places for one in found])
    # Each is near itself, but not always first, for hashes are rounded; a missing neighbour is the descriptor itself.
    own = np.arange(rows)[:, None]
    places = np.where(places < 0, own, places)
    order = np.argsort(places == own, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.take_along_axis(places, order, axis=1).astype(np.int32)


def read_seeds(folder: str, name: str) -> tuple[RealPhotos, np.ndarray]:
    """Returns photos that were kept, and the neighbours of their descriptors, or the rows that are planted."""
    with np.load(Path(folder, f"features-{name}.npz"), allow_pickle=False) as arrays:
        photos = RealPhotos(
            [], np.empty((0, 0)), *(arrays[one] for one in ("frames", "starts", "keypoints", "descriptors"))
        )
        return photos, arrays["near"]


def place_of(folder: str, features: int) -> Path:
    """Returns the folder that stands for the segment of so many features."""
    return Path(folder, f"features-{features}")


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
        for places, descriptors in made_features(maker, starts, block, number):
            yield np.tile(places, TIMES), descriptors.reshape(-1, descriptors.shape[-1])


def made_features(
    maker: made.Maker, starts: np.ndarray, photos: np.ndarray, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields, of each of some real photos, the places of its features, and the descriptors of TIMES made ones."""
    places = np.concatenate([np.arange(starts[one], starts[one + 1]) for one in photos])
    drawn = maker.draw(np.random.default_rng(seed), places, TIMES)
    ends = np.cumsum(np.diff(starts)[photos])
    for end, count in zip(ends, np.diff(starts)[photos], strict=True):
        own = slice(end - count, end)
        yield places[own], np.rint(drawn[own].transpose(1, 0, 2) * LENGTH).astype(np.int8)


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
