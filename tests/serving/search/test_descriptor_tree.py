"""A tree over descriptors: a few queries are answered from its files as ScaNN answers many."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.index import leaf_order
from pipelines.index.local_scann import plan_local_trees, write_local_scann
from serving.search import descriptor_tree
from serving.search.descriptor_index import DescriptorIndex
from serving.search.descriptor_tree import DescriptorTree, Neighbours

K, LEAVES, ALL = 8, 5, 63


@pytest.fixture(scope="module")
def descriptors() -> np.ndarray:
    """int8 [n, 64] around some hundred centres, of which some lie much nearer to one another than others."""
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((150, 64))
    vectors = centres[generator.integers(0, 150, 4_000)] + 0.4 * generator.standard_normal((4_000, 64))
    return np.rint(vectors * (127 / np.linalg.norm(vectors, axis=1, keepdims=True))).astype(np.int8)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, descriptors: np.ndarray) -> Path:
    """The directory of a tree over them."""
    folder = tmp_path_factory.mktemp("trees") / "scann"
    write_local_scann(folder, descriptors, plan_local_trees(len(descriptors), exact_below=1))
    return folder / "0000"


def scanned(directory: Path, monkeypatch: pytest.MonkeyPatch, *, leaves: int = LEAVES) -> DescriptorTree:
    """Returns a tree that is never loaded."""
    monkeypatch.setattr(descriptor_tree, "LOADED_PER_SEARCHED", 0)
    return DescriptorTree(directory, leaves)


def loaded(directory: Path, *, leaves: int = LEAVES) -> DescriptorTree:
    """Returns a tree that ScaNN holds in memory."""
    tree = DescriptorTree(directory, leaves)
    tree.load()
    return tree


def sets_of(found: Neighbours) -> list[set[int]]:
    """Returns the places of each query's neighbours, in no order: equally near ones have none."""
    return [set(row) for row in found.places.tolist()]


@pytest.mark.parametrize("k", [1, K, 5_000])
def test_the_files_say_what_scann_says(
    directory: Path, descriptors: np.ndarray, monkeypatch: pytest.MonkeyPatch, k: int
) -> None:
    """In all leaves the same similarities, and also where there are fewer descriptors than are asked for."""
    asked = descriptors[::37][:100]
    expected = loaded(directory, leaves=ALL).search(asked, k)
    found = scanned(directory, monkeypatch, leaves=ALL).search(asked, k)
    columns = expected.places.shape[1]
    np.testing.assert_allclose(found.similarities[:, :columns], expected.similarities, atol=1e-5)
    assert (found.places[:, columns:] == -1).all()
    assert (found.places[:, 0] == np.arange(0, 3_700, 37)).mean() > 0.8


def test_the_files_are_searched_in_the_same_leaves(
    directory: Path, descriptors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ScaNN makes leaves with one centre: which of them it takes where one too many is equally near, nobody knows."""
    asked = descriptors[::37][:100]
    expected, found = loaded(directory).search(asked, K), scanned(directory, monkeypatch).search(asked, K)
    assert np.mean([a == b for a, b in zip(sets_of(found), sets_of(expected), strict=True)]) > 0.8
    assert np.isclose(found.similarities, expected.similarities, atol=1e-5).mean() > 0.9


def test_more_queries_than_are_searched_together(
    directory: Path, descriptors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their tables would take memory without end."""
    tree = scanned(directory, monkeypatch)
    whole = tree.search(descriptors[:50], K)
    monkeypatch.setattr("serving.search.leaf_scan.TOGETHER", 7)
    parts = tree.search(descriptors[:50], K)
    assert np.isclose(parts.similarities, whole.similarities, atol=1e-5).mean() > 0.9


def test_a_descriptor_of_zeros_has_neighbours_or_none(
    directory: Path, descriptors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as near to all, and no number is lost in it."""
    found = scanned(directory, monkeypatch).search(np.zeros((1, 64), np.int8), K)
    assert np.isfinite(found.similarities).all()


def test_a_tree_is_loaded_once_that_is_worth_it(
    directory: Path, descriptors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was searched so far would have paid for it; answers stay what they were."""
    monkeypatch.setattr(descriptor_tree, "LOADED_PER_SEARCHED", 40)
    tree = DescriptorTree(directory, LEAVES)
    before = tree.search(descriptors[:60], K)
    assert not tree.is_loaded
    after = tree.search(descriptors[:60], K)
    assert tree.is_loaded
    assert np.isclose(after.similarities, before.similarities, atol=1e-5).mean() > 0.9


def test_a_tree_is_loaded_on_demand(directory: Path, descriptors: np.ndarray) -> None:
    """A segment's index loads all of its trees for whoever knows that many queries will come."""
    trees = plan_local_trees(len(descriptors), exact_below=1)
    index = DescriptorIndex.load(directory.parent, descriptors, trees)
    assert not index.is_loaded
    index.load_trees()
    assert index.is_loaded
    assert index.search(descriptors[:3], K).places.shape == (3, K)


def test_nobody_waits_for_a_tree_that_another_thread_loads(
    directory: Path, descriptors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile the files answer."""
    monkeypatch.setattr(descriptor_tree, "LOADED_PER_SEARCHED", 10**9)
    tree = DescriptorTree(directory, LEAVES)
    with tree._loading:
        assert tree.search(descriptors[:3], K).places.shape == (3, K)
    assert not tree.is_loaded


def test_a_tree_of_an_earlier_version_is_searched(
    tmp_path: Path, descriptors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hashes lie in the order of the descriptors, and nothing says where a leaf begins: ScaNN loads it."""
    monkeypatch.setattr("pipelines.index.local_scann.sort_by_leaf", lambda _: None)
    write_local_scann(tmp_path / "scann", descriptors, plan_local_trees(len(descriptors), exact_below=1))
    tree = DescriptorTree(tmp_path / "scann" / "0000", LEAVES)
    assert tree.is_loaded
    assert tree.size == len(descriptors)
    before = tree.search(descriptors[:100], K)
    leaf_order.sort_by_leaf(tmp_path / "scann" / "0000")
    after = loaded(tmp_path / "scann" / "0000").search(descriptors[:100], K)
    np.testing.assert_allclose(after.similarities, before.similarities, atol=1e-5)
    assert np.mean([a == b for a, b in zip(sets_of(after), sets_of(before), strict=True)]) > 0.95
