"""A tree in pieces: the same as ScaNN's own of all rows at once."""

from pathlib import Path

import numpy as np
import pytest

from foundation.store.segments import TREE_HASHES, SearchParameters
from pipelines.index import memory, scann_tree
from pipelines.index.mapped import RowsOnDisk
from pipelines.index.memory import FEWEST_TRAINING_ROWS, MOST_TRAINING_ROWS
from pipelines.index.scann_tree import TOKENS, training_rows
from tests.builders import unit_vectors

PARAMETERS = SearchParameters(leaves=10, leaves_to_search=10)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_pieces_are_hashed_as_all_rows_together_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, distance: str
) -> None:
    """What ScaNN computed of the rows when it learned from them, and what it computes piece by piece, is the same."""
    monkeypatch.setattr(scann_tree, "PIECE_BYTES", 150 * 8 * 4)
    kept = {}
    hash_pieces = scann_tree._hash_pieces

    def noted(directory: Path, vectors: RowsOnDisk):
        kept.update({name: np.load(directory / name) for name in (TOKENS, TREE_HASHES)})
        return hash_pieces(directory, vectors)

    monkeypatch.setattr(scann_tree, "_hash_pieces", noted)
    vectors = RowsOnDisk(unit_vectors(400, 8))
    tree = scann_tree.write_tree(tmp_path / "tree", vectors, PARAMETERS, neighbours=10, distance=distance)
    assert tree.size() == 400
    assert len(np.unique(kept[TOKENS])) > 3
    for name, expected in kept.items():
        np.testing.assert_array_equal(np.load(tmp_path / "tree" / name), expected)


def test_rows_that_were_not_learned_from_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is the nearest to itself among the candidates, in its own place."""
    monkeypatch.setattr(memory, "FEWEST_TRAINING_ROWS", 300)
    monkeypatch.setattr(scann_tree, "PIECE_BYTES", 128 * 16 * 4)
    vectors = unit_vectors(1_000, 16)
    assert len(training_rows(1_000)) == 300
    tree = scann_tree.write_tree(tmp_path / "tree", RowsOnDisk(vectors), PARAMETERS, neighbours=10, distance="cosine")
    rows, _ = tree.search_batched(vectors, final_num_neighbors=20)
    assert np.mean((rows == np.arange(1_000)[:, None]).any(axis=1)) > 0.99
    assert not list((tmp_path / "tree").glob("dataset*"))


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (1, 1),
        (FEWEST_TRAINING_ROWS, FEWEST_TRAINING_ROWS),
        (60_000, FEWEST_TRAINING_ROWS),
        (200_000, 50_000),
        (9_000_000, MOST_TRAINING_ROWS),
    ],
)
def test_a_tree_is_learned_from_a_share_of_the_rows(rows: int, count: int) -> None:
    """From all of few, and never from more than memory is planned for; different rows, in their order."""
    chosen = training_rows(rows)
    assert len(chosen) == count
    assert (np.diff(chosen) > 0).all()
    assert chosen[0] >= 0
    assert chosen[-1] < rows
