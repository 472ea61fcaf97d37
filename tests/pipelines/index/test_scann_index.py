"""Building a ScaNN index: measured with moved vectors, widened until it finds enough, and silent."""

from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError
from pipelines.index import scann_index
from pipelines.index.plan import IndexOptions, plan_search
from tests.builders import unit_vectors


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_queries_of_the_measurement_are_moved_and_the_same_each_time(distance: str) -> None:
    """Near the vectors they come from, and none of them; unit vectors stay unit vectors."""
    vectors = unit_vectors(3_000, 8) * np.float32(1 if distance == "cosine" else 7)
    queries = scann_index.sample_queries(vectors, distance)
    np.testing.assert_array_equal(queries, scann_index.sample_queries(vectors, distance))
    assert queries.shape == (1_000, 8)
    assert queries.dtype == np.float32
    lengths = np.linalg.norm(queries, axis=1)
    cosines = (queries @ vectors.T / lengths[:, None] / np.linalg.norm(vectors[0])).max(axis=1)
    assert 0.9 < np.median(cosines) < 0.999
    assert distance == "euclidean" or np.allclose(lengths, 1, atol=1e-5)


def test_a_search_is_widened_until_it_finds_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first width that reaches the bar is taken; a bar that none reaches leaves no folder."""
    recalls = iter([0.5, 0.8, 0.96, 0.99])
    monkeypatch.setattr(scann_index, "recall_of", lambda *_: next(recalls))
    vectors = unit_vectors(2_000, 8)
    parameters, recall, _ = scann_index.write_scann(tmp_path / "scann", vectors, "cosine", IndexOptions())
    assert recall == 0.96
    assert parameters == scann_index.wider_searches(plan_search(2_000), 2_000)[2]
    monkeypatch.setattr(scann_index, "recall_of", lambda *_: 0.9)
    with pytest.raises(ArtifactRefusedError, match=r"is 0\.900, expected at least 0\.95"):
        scann_index.write_scann(tmp_path / "other", vectors, "cosine", IndexOptions())
    assert not (tmp_path / "other").exists()
