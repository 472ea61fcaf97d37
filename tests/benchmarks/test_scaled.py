"""The benchmark of large archives: what is made of real vectors, and how figures are kept."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scaled import features, made, vectors, votes
from benchmarks.scaled.figures import FIGURES, Figures, name_of
from benchmarks.scaled.real import Asked, RealPhotos, read_asked, write_asked
from benchmarks.scaled.structure import best_of, local_dimensions, nearest_similarities, summary
from benchmarks.scaled.tables import growth, of_step, table
from foundation.photos.compressed_features import CompressedFeatures
from foundation.vectors import exact_neighbours


def flat_vectors(rows: int, *, directions: int = 6, dimension: int = 24, seed: int = 0) -> np.ndarray:
    """Returns float32 [rows, dimension] of unit length, spread evenly in few directions."""
    generator = np.random.default_rng(seed)
    axes = np.linalg.qr(generator.standard_normal((dimension, directions)))[0]
    return made.unit((generator.standard_normal((rows, directions)) @ axes.T).astype(np.float32))


def maker_of(real: np.ndarray, neighbours: int = 24) -> made.Maker:
    """Returns what makes vectors of these."""
    rows, _ = exact_neighbours(real, real, k=neighbours + 1, distance="cosine")
    return made.Maker(real, rows[:, 1:])


def test_the_dimension_of_a_sphere_is_estimated():
    """Points on a sphere in six directions have five to go; twelve directions tell eleven."""
    for directions in (6, 12):
        points = flat_vectors(6_000, directions=directions)
        found = summary(nearest_similarities(points[:300], points))["dimension"]
        assert found == pytest.approx(directions - 1, rel=0.15)


def test_a_query_is_not_its_own_neighbour():
    """The vector itself would be at distance 0, and the dimension nothing."""
    points = flat_vectors(500)
    assert nearest_similarities(points[:50], points).max() < 1 - 1e-6
    assert np.isfinite(local_dimensions(nearest_similarities(points[:50], points))).all()


def test_the_best_of_several_searches_are_the_best_of_all():
    """Neighbours found block by block are those of one search."""
    points = flat_vectors(900)
    _, whole = exact_neighbours(points[:20], points, k=21, distance="cosine")
    parts = [exact_neighbours(points[:20], part, k=21, distance="cosine")[1] for part in np.split(points, 3)]
    assert best_of(*parts) == pytest.approx(whole)


def test_made_vectors_lie_as_the_real_ones_do():
    """As many made ones have neighbours as near, in as many directions; noise in all directions has more of them."""
    real = flat_vectors(2_000)
    (block,) = made.blocks(maker_of(real), len(real), 2_000, first=0, block_rows=2_000)
    noise = made.unit(real + 0.3 * np.random.default_rng(0).standard_normal(real.shape).astype(np.float32))
    own, alike, unlike = (summary(nearest_similarities(one[:300], one)) for one in (real, block, noise))
    assert alike["dimension"] == pytest.approx(own["dimension"], rel=0.2)
    assert 1 - alike["half"] == pytest.approx(1 - own["half"], rel=0.5)
    assert unlike["dimension"] > 1.5 * own["dimension"]


def test_a_smaller_archive_is_the_beginning_of_a_larger_one():
    """Blocks have seeds of their own, so that a segment of any archive is built once."""
    real = flat_vectors(200)
    maker = maker_of(real)
    few = np.concatenate(list(made.blocks(maker, 200, 250, first=0, block_rows=100)))
    later = np.concatenate(list(made.blocks(maker, 200, 400, first=100, block_rows=100)))
    assert (len(few), len(later)) == (250, 300)
    assert (few[100:] == later[:150]).all()


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder with seeds of vectors, and everyday edits of planted ones."""
    real, planted = flat_vectors(800, dimension=128), flat_vectors(8, dimension=128, seed=3)
    near, _ = exact_neighbours(real, real, k=25, distance="cosine")
    held_out = flat_vectors(40, dimension=128, seed=4)
    np.savez(tmp_path / "seeds.npz", vectors=real, near=near[:, 1:], planted=planted, held_out=held_out)
    write_asked(
        tmp_path / vectors.ASKED, Asked(made.unit(planted + 0.001), [[features_of(3, n)] * 3 for n in range(8)])
    )
    return str(tmp_path)


def features_of(count: int, seed: int) -> CompressedFeatures:
    """Returns random features."""
    generator = np.random.default_rng(seed)
    keypoints = generator.uniform(1, 90, (count, 4)).astype(np.float32)
    return CompressedFeatures(100, 100, keypoints, generator.integers(-60, 60, (count, 64)).astype(np.int8))


def test_planted_photos_are_found_in_segments_that_the_product_built(folder: str, monkeypatch: pytest.MonkeyPatch):
    """Shards, segment, snapshot and search are the product's; neighbours are those of exact search."""
    monkeypatch.setattr(vectors, "BLOCK_ROWS", 600)
    known = {}
    for first, rows in vectors.parts_of(2_000, 1_200):
        vectors.write_shards(folder, first, rows)
        known[name_of("build", {"first": first, "rows": rows})] = vectors.build(folder, first, rows)
        Path(folder, FIGURES).write_text(json.dumps(known))
        vectors.compare(folder, first, rows)
    found = vectors.search(folder, 2_000, 1_200)
    assert found["recall"] == found["planted_first"] == 1
    assert vectors.structure_of(folder, 2_000, 1_200)["made"]["half"] > 0.9


def test_edits_of_planted_photos_get_the_votes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A photo whose features are asked for is first, with trees or with leaves that are told."""
    counts = np.full(60, 150)
    whole = features_of(60 * 150, 0)
    photos = RealPhotos(
        [],
        np.empty((0, 0)),
        np.full((60, 2), 100, np.uint16),
        np.concatenate([[0], np.cumsum(counts)]),
        np.full((60 * 150, 4), 640, np.uint16),
        whole.descriptors,
    )
    features.write_feature_seeds(str(tmp_path), photos, photos, np.arange(5))
    monkeypatch.setattr(features, "BLOCK_PHOTOS", 20)
    written = features.write_features(str(tmp_path), 10_000)
    assert written["features"] >= 10_000
    own = [whole.descriptors[number * 150 : (number + 1) * 150] for number in range(5)]
    views = [[CompressedFeatures(100, 100, np.full((150, 4), 10, np.float32), one)] for one in own]
    write_asked(tmp_path / features.ASKED, Asked(np.empty((5, 4), np.float32), [view * 3 for view in views]))
    votes.build_trees(str(tmp_path), 10_000)
    for searched in (0, 60):
        assert votes.vote(str(tmp_path), 10_000, searched=searched)["planted_first"] == 1


def test_queries_are_read_as_they_were_written(tmp_path: Path):
    """Views of one query stay together, whatever number of features each has."""
    asked = Asked(np.ones((2, 4), np.float32), [[features_of(n, n) for n in (1, 0, 4)], [features_of(2, 9)] * 3])
    write_asked(tmp_path / "asked.npz", asked)
    again = read_asked(tmp_path / "asked.npz")
    assert [[len(view) for view in views] for views in again.views] == [[1, 0, 4], [2, 2, 2]]
    assert (again.views[0][2].descriptors == asked.views[0][2].descriptors).all()


def test_a_step_that_is_known_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A rerun goes on where the last one was cut off, and keeps what another one added meanwhile."""
    done = []
    monkeypatch.setattr("benchmarks.scaled.figures.in_a_process", lambda *told: done.append(told[1:]) or {"seconds": 1})
    figures = Figures(tmp_path, "benchmarks.scale")
    figures.measure("build", rows=5)
    Figures(tmp_path, "benchmarks.scale").measure("search", rows=5)
    figures.measure("build", rows=5)
    figures.measure("build", rows=6)
    assert done == [("build", {"rows": 5}), ("search", {"rows": 5}), ("build", {"rows": 6})]
    assert list(json.loads((tmp_path / FIGURES).read_text())) == ["build rows=5", "search rows=5", "build rows=6"]


def test_what_met_other_work_is_measured_again(tmp_path: Path):
    """Quiet figures stay, and those of steps that only prepare."""
    known = {"build rows=1": {"load": 3.0}, "build rows=2": {"load": 0.1}, "prepare": {"load": 3.0}}
    (tmp_path / FIGURES).write_text(json.dumps(known))
    figures = Figures(tmp_path, "benchmarks.scale")
    figures.forget_loaded(0.7, but=("prepare",))
    assert list(Figures(tmp_path, "benchmarks.scale").known) == ["build rows=2", "prepare"]
    assert figures.lacks([("build", {"rows": 2}), ("build", {"rows": 1})])
    figures.forget([("build", {"rows": 2})])
    assert list(json.loads((tmp_path / FIGURES).read_text())) == ["prepare"]


def test_growth_is_said_for_ten_times_the_size():
    """Sizes that are not quite ten times apart are compared as if they were."""
    assert growth((100, 2), (1_000, 4)) == growth((100, 2), (10_000, 8)) == "2.0"
    assert growth((100, 2), (100, 4)) == ""


def test_figures_are_found_by_their_step():
    """What a step was told stands in its name."""
    known = {"build rows=5": {"a": 1}, "search rows=5 way=x": {"b": 2}}
    assert of_step(known, "search") == [({"rows": "5", "way": "x"}, {"b": 2})]
    assert table("a|b", [["1", "2"]]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]
