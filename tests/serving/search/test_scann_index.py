"""A ScaNN tree: work dealt out to threads, missing neighbours masked, similarities as the contract means them."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.store.artifact import FileRecord
from foundation.store.segments import SCANN_VECTORS, VECTORS, SearchParameters
from foundation.vectors import exact_neighbours
from pipelines.index import scann_index as builder
from pipelines.index.mapped import save_on_disk
from pipelines.index.plan import IndexOptions
from serving.search.scann_index import FEWEST_PER_THREAD, ScannIndex, load_searcher
from tests.builders import segment, unit_vectors

vectors_of = partial(unit_vectors, dimension=8)
PARAMETERS = SearchParameters(leaves=20, leaves_to_search=20, reorder=200)


class Recorder:
    """Stands for ScaNN's searcher: notes what it is asked for, and finds what it was told to."""

    def __init__(self, rows: list[list[int]] | None = None, measures: list[list[float]] | None = None):
        self.asked: list[dict] = []
        self._found = rows, measures

    def set_num_threads(self, threads: int) -> None:
        """Notes the number of threads."""
        self.threads = threads

    def search_batched_parallel(self, vectors: np.ndarray, **asked) -> tuple[np.ndarray, np.ndarray]:
        """Returns as many neighbours as were asked for."""
        assert vectors.dtype == np.float32
        assert vectors.flags.c_contiguous
        self.asked.append(asked)
        rows, measures = self._found
        shape = len(vectors), asked["final_num_neighbors"]
        return (
            np.array(rows, np.uint32) if rows else np.zeros(shape, np.uint32),
            np.array(measures, np.float32) if measures else np.ones(shape, np.float32),
        )


@given(st.integers(1, 2_000), st.integers(1, 64))
def test_every_thread_gets_its_share(queries: int, threads: int) -> None:
    """No more batches than threads, and none so small that handing it over costs more than it saves."""
    recorder = Recorder()
    index = ScannIndex(recorder, distance="cosine", rows=100, threads=threads)
    index.search(np.zeros((queries, 8), np.float32), 10, PARAMETERS)
    size = recorder.asked[0]["batch_size"]
    batches = -(-queries // size)
    assert recorder.threads == threads
    assert size >= FEWEST_PER_THREAD
    assert batches <= threads
    assert size == FEWEST_PER_THREAD or (size - 1) * threads < queries


@pytest.mark.parametrize(("k", "neighbours", "candidates"), [(10, 10, 200), (500, 100, 200), (100, 100, 200)])
def test_no_more_is_asked_for_than_there_is(k: int, neighbours: int, candidates: int) -> None:
    """ScaNN is asked for at most all rows, and re-scores at least as many as it has to return."""
    recorder = Recorder()
    ScannIndex(recorder, distance="cosine", rows=100).search(np.zeros((1, 8)), k, PARAMETERS)
    (asked,) = recorder.asked
    assert asked["final_num_neighbors"] == neighbours
    assert asked["pre_reorder_num_neighbors"] == candidates
    assert asked["leaves_to_search"] == PARAMETERS.leaves_to_search


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_missing_neighbours_are_no_rows(distance: str) -> None:
    """ScaNN fills them with row 0 and NaN: the first photo would match everything."""
    recorder = Recorder([[4, 0, 0], [0, 2, 0]], [[0.5, 0.25, np.nan], [np.nan, 0.5, np.inf]])
    rows, similarities = ScannIndex(recorder, distance=distance, rows=9).search(np.zeros((2, 8)), 3, PARAMETERS)
    assert rows.dtype == np.int64
    assert rows.tolist() == [[4, 0, -1], [-1, 2, -1]]
    assert (similarities == -np.inf).tolist() == [[False, False, True], [True, False, True]]


def test_measures_become_similarities() -> None:
    """A dot product is clipped to what a cosine can be; a squared distance is 1 / (1 + distance)."""
    measures = [[1.0000002, 0.25, -1.5]]
    for distance, expected in (("cosine", [1, 0.25, -1]), ("euclidean", [0.5, 1 / 1.5, 1])):
        index = ScannIndex(Recorder([[0, 1, 2]], measures), distance=distance, rows=9)
        _, similarities = index.search(np.zeros((1, 8)), 3, PARAMETERS)
        np.testing.assert_allclose(similarities[0], expected, atol=1e-6)


@pytest.fixture(scope="module", params=["cosine", "euclidean"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """(distance, vectors, folder of the segment) of a tree over 400 vectors."""
    distance, vectors = request.param, vectors_of(400)
    if distance == "euclidean":
        vectors = vectors * np.linspace(1, 9, 400, dtype=np.float32)[:, None]
    folder = tmp_path_factory.mktemp("segment")
    mapped = save_on_disk(folder / VECTORS, vectors)
    found = builder.write_scann(folder / "scann", mapped, distance, IndexOptions())
    assert found.recall >= 0.95
    assert found.queries == 200
    return distance, mapped, folder


@pytest.mark.parametrize("threads", [1, 3, 16])
@pytest.mark.parametrize("queries", [1, 2, 9, 100])
def test_more_threads_than_queries_lose_none(built, threads: int, queries: int) -> None:
    """However the queries are dealt out, each gets its own neighbours, in its own row."""
    distance, vectors, folder = built
    searcher = load_searcher(folder / "scann")
    index = ScannIndex(searcher, distance=distance, rows=400, vectors=vectors, threads=threads)
    asked = vectors[:queries] + np.float32(0.01)
    widest = SearchParameters(leaves=20, leaves_to_search=20, reorder=400)
    rows, similarities = index.search(asked, 5, widest)
    expected_rows, expected = exact_neighbours(asked, vectors, k=5, distance=distance)
    assert rows.shape == (queries, 5)
    assert rows[:, 0].tolist() == expected_rows[:, 0].tolist() == list(range(queries))
    np.testing.assert_allclose(similarities[:, 0], expected[:, 0], atol=1e-6)


def test_a_search_in_one_leaf_finds_few_and_makes_nothing_up(built) -> None:
    """More neighbours are asked for than the leaf holds: each row stands once, the rest is missing."""
    distance, vectors, folder = built
    described = segment(kind="scann", rows=400, dimension=8, distance=distance)
    index = ScannIndex.load(folder, described, vectors)
    narrow = SearchParameters(leaves=20, leaves_to_search=1, reorder=400)
    rows, similarities = index.search(vectors[:20], 400, narrow)
    for found, near in zip(rows, similarities, strict=True):
        known = found[found >= 0]
        assert len(known) < 400
        assert len(set(known.tolist())) == len(known)
        assert ((near == -np.inf) == (found < 0)).all()
        assert (np.diff(near[found >= 0]) <= 0).all()
    # ScaNN's trees differ from build to build, and a leaf of one may be empty; not those of all queries.
    assert (rows >= 0).any()


def test_candidates_are_scored_by_the_vectors_themselves() -> None:
    """Of the tree's candidates the best by exact similarity come first; a missing one never does."""
    vectors = vectors_of(9)
    recorder = Recorder([[4, 0, 7, 0], [0, 3, 2, 0]], [[0.9, 0.8, 0.7, np.nan], [0.4, np.nan, 0.3, np.nan]])
    index = ScannIndex(recorder, distance="cosine", rows=9, vectors=vectors)
    rows, similarities = index.search(vectors[[7, 2]], 2, replace(PARAMETERS, reorder=4))
    assert recorder.asked[0]["final_num_neighbors"] == 4
    assert rows.tolist() == [[7, max((0, 4), key=lambda row: vectors[row] @ vectors[7])], [2, 0]]
    np.testing.assert_allclose(similarities[:, 0], 1, atol=1e-6)


def test_an_older_segment_is_scored_by_scann(built) -> None:
    """Its vectors are among ScaNN's files, which loads them for that: nothing is scored twice."""
    distance, vectors, folder = built
    files = {SCANN_VECTORS: FileRecord(1, "0" * 64)}
    older = segment(kind="scann", rows=400, dimension=8, distance=distance, files=files)
    assert ScannIndex.load(folder, older, vectors)._vectors is None


def test_scann_is_imported_without_tensorflow(run_python) -> None:
    """And TensorFlow can still be imported afterwards."""
    code = (
        "import sys\nfrom serving.search.scann_index import import_scann\nimport_scann()\n"
        "print('tensorflow' in sys.modules)\nimport_scann()\nimport tensorflow\nprint(tensorflow.__name__)"
    )
    assert run_python(code).split() == ["False", "tensorflow"]


def test_hidden_rows_take_no_place_among_the_neighbours(built) -> None:
    """The thirty nearest of a query are hidden: it gets the ten that follow, and no row of the hidden ones."""
    distance, vectors, folder = built
    index = ScannIndex.load(folder, segment(kind="scann", rows=400, dimension=8, distance=distance), vectors)
    widest = SearchParameters(leaves=20, leaves_to_search=20, reorder=400)
    hidden = np.zeros(400, bool)
    hidden[exact_neighbours(vectors[:1], vectors, k=30, distance=distance)[0]] = True
    rows, similarities = index.search(vectors[:3], 10, widest, hidden)
    expected, _ = exact_neighbours(vectors[:3], vectors, k=10, distance=distance, hidden=hidden)
    assert not hidden[rows].any()
    assert all(len(set(found) & set(right)) >= 8 for found, right in zip(rows.tolist(), expected.tolist(), strict=True))
    assert (np.diff(similarities, axis=1) <= 0).all()
    nothing, _ = index.search(vectors[:3], 10, widest, np.ones(400, bool))
    assert (nothing == -1).all()
