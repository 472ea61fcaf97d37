"""Tests of the trees over the descriptors of local features."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ArtifactRefusedError
from pipelines.index.local_scann import EXACT_BELOW, plan_local_trees, write_local_scann
from serving.search.descriptor_index import DescriptorIndex


def random_descriptors(count: int, *, seed: int = 0) -> np.ndarray:
    """Returns int8 [count, 64] of about unit length × 127."""
    vectors = np.random.default_rng(seed).standard_normal((count, 64))
    return np.rint(vectors * (127 / np.linalg.norm(vectors, axis=1, keepdims=True))).astype(np.int8)


@given(st.integers(EXACT_BELOW, 200_000_000), st.integers(10_000, 5_000_000))
def test_trees_hold_every_descriptor_once(descriptors: int, most: int):
    """Trees follow one another, none is larger than allowed, and their sizes differ by one at most."""
    trees = plan_local_trees(descriptors, most=most)
    assert trees[0].first == 0
    assert all(one.first + one.descriptors == other.first for one, other in pairwise(trees))
    assert trees[-1].first + trees[-1].descriptors == descriptors
    sizes = [tree.descriptors for tree in trees]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert all(1 <= tree.leaves_to_search <= tree.leaves <= tree.descriptors for tree in trees)


def test_few_descriptors_need_no_tree():
    """Looking at each of some thousand is as fast as a tree."""
    assert plan_local_trees(EXACT_BELOW - 1) == []
    assert plan_local_trees(0) == []


def test_a_tree_has_as_many_leaves_as_the_root_of_its_descriptors():
    """Of 36 million descriptors six thousand leaves are made; as many are searched as in a small tree."""
    (large,), (small,) = plan_local_trees(36_000_000), plan_local_trees(250_000)
    assert (large.leaves, large.leaves_to_search) == (6_000, 8)
    assert (small.leaves, small.leaves_to_search) == (500, 8)


def test_trees_find_what_looking_at_every_descriptor_finds(tmp_path: Path):
    """Two trees, moved to another folder, name the nearest descriptors by their places among all."""
    descriptors = random_descriptors(4_000)
    trees = plan_local_trees(len(descriptors), most=2_500, exact_below=1)
    recall = write_local_scann(tmp_path / "built", descriptors, trees)
    (tmp_path / "built").rename(tmp_path / "moved")
    index = DescriptorIndex.load(tmp_path / "moved", descriptors, trees)
    places, similarities = index.search(descriptors[::40], 8)
    assert places.shape == similarities.shape == (100, 8)
    assert np.mean(places[:, 0] == np.arange(0, 4_000, 40)) > 0.95
    assert (np.diff(similarities, axis=1) <= 0).all()
    assert recall > 0.6
    exact, _ = DescriptorIndex(descriptors).search(descriptors[::40], 8)
    assert np.array_equal(exact[:, 0], np.arange(0, 4_000, 40))


def test_the_descriptors_themselves_are_not_kept(tmp_path: Path):
    """A small tree takes less than 45 bytes a descriptor, where the components alone take 64."""
    descriptors = random_descriptors(6_000)
    write_local_scann(tmp_path / "scann", descriptors, plan_local_trees(len(descriptors)))
    files = [path for path in (tmp_path / "scann").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 45 * len(descriptors)


def test_trees_of_other_descriptors_are_refused(tmp_path: Path):
    """Trees that do not hold as many descriptors as the segment are an error that names both numbers."""
    trees = plan_local_trees(300, exact_below=1)
    write_local_scann(tmp_path / "scann", random_descriptors(300), trees)
    with pytest.raises(ArtifactRefusedError, match="hold 300 descriptors, the segment 301"):
        DescriptorIndex.load(tmp_path / "scann", random_descriptors(301), trees)


def test_thousands_of_copies_of_one_logo_are_indexed_and_searched(tmp_path: Path):
    """Far fewer different descriptors than leaves are no obstacle, and each query has neighbours."""
    different = random_descriptors(20)
    descriptors = np.tile(different, (400, 1))
    trees = plan_local_trees(len(descriptors))
    write_local_scann(tmp_path / "scann", descriptors, trees)
    places, _ = DescriptorIndex.load(tmp_path / "scann", descriptors, trees).search(different, 8)
    assert np.array_equal(places % 20, np.repeat(np.arange(20)[:, None], 8, axis=1))
