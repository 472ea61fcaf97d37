"""Building a segment: shards in, every file of it out, searched as it says and measured."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError, TemporaryError
from foundation.photos.local_features import FEATURE_RULE
from foundation.store.chains import FinishedRun
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.run_tables import local_fields
from foundation.store.segments import (
    CONTENT_HASHES,
    LOCAL_FILES,
    LOCAL_FRAMES,
    LOCAL_SCANN,
    LOCAL_STARTS,
    LOCAL_THUMBNAIL_STARTS,
    LOCAL_THUMBNAILS,
    PHOTOS,
    SCANN_VECTORS,
    VECTORS,
    LocalFeaturesRecord,
    read_segment,
    segment_directory,
)
from foundation.store.snapshots import snapshot_numbers
from pipelines.index import build_segment, job, tune
from pipelines.index.local_scann import EXACT_BELOW
from pipelines.index.plan import IndexOptions, Surroundings, plan_segments
from serving.search.segment import open_segment
from tests.builders import add_encoder, add_run, content, neighbours_of, unit_vectors

DIMENSION = 8


vectors_of = partial(unit_vectors, dimension=DIMENSION)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Store, str]:
    """A store with the description of one encoder."""
    store = Store(tmp_path / "store", create=True)
    return store, add_encoder(store, dimension=DIMENSION)


def test_a_small_run_becomes_an_exact_segment(made: tuple[Store, str]):
    """Rows are sorted by content hash; every vector stands beside its own photo."""
    store, encoder_id = made
    vectors = vectors_of(120)
    add_run(store, encoder_id, "run1", vectors)
    result = job.build_index(store)
    (segment,) = result.added
    assert (segment.kind, segment.rows, segment.photos, segment.recall_at_10) == ("exact", 120, 120, 1.0)
    directory = store.local_root / segment_directory(segment.segment_id)
    photos = parquet.read_table(directory / PHOTOS).to_pylist()
    stored = np.load(directory / VECTORS)
    hashes = np.load(directory / CONTENT_HASHES)
    assert list(hashes) == sorted(hashes)
    for photo, vector, found in zip(photos, stored, hashes, strict=True):
        number = int(photo["photo_id"].split("/")[1].removesuffix(".jpg"))
        np.testing.assert_array_equal(vector, vectors[number])
        assert photo["content_sha256"].rstrip(b"\0") == found
    assert result.snapshot.number == 1


def test_local_features_are_files_of_the_segment(made: tuple[Store, str]):
    """They are counted, listed with their digests, in the order of the rows, and cost what the files hold."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(20), per_shard=6, features="local")
    (segment,) = job.build_index(store).added
    assert segment.local == LocalFeaturesRecord(feature_rule=FEATURE_RULE, rows=20, features=sum(range(20)))
    assert set(segment.files) >= LOCAL_FILES
    directory = store.local_root / segment_directory(segment.segment_id)
    counts = np.diff(np.load(directory / LOCAL_STARTS))
    photos = parquet.read_table(directory / PHOTOS)
    assert photos["photo_id"].to_pylist() == [f"run1/{count}.jpg" for count in counts]
    assert not set(photos.column_names) & {field.name for field in local_fields()}
    sizes = {name: record.size_bytes for name, record in segment.files.items() if name.startswith("local/")}
    # Without a tree every descriptor is read at each search, and only frames and thumbnails are left for comparing.
    others = sum(sizes[name] for name in (LOCAL_FRAMES, LOCAL_THUMBNAILS, LOCAL_THUMBNAIL_STARTS))
    assert segment.local_verification_bytes == others
    assert segment.local_search_bytes == sum(sizes.values()) - others


def test_many_local_features_are_searched_in_trees(made: tuple[Store, str]):
    """The trees are files of the segment, with their recall; the nearest to a descriptor is most often itself."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(120), features="local")
    (segment,) = job.build_index(store).added
    (tree,) = segment.local.trees
    assert tree.descriptors == segment.local.features == sum(range(120)) > EXACT_BELOW
    assert 0 < segment.local.recall <= 1
    assert f"{LOCAL_SCANN}/0000/scann_assets.pbtxt" in segment.files
    assert segment.local_search_bytes < segment.local_verification_bytes
    with open_segment(store, segment) as opened:
        (row,) = opened.find([content("99")])
        places, _ = opened.local.neighbours(opened.local.stored(row).features.descriptors, 1)
        assert np.mean(opened.local.rows(places[:, 0]) == row) > 0.9


def test_runs_with_and_without_local_features_make_one_segment(made: tuple[Store, str]):
    """Photos of which none were kept have none, unless another run kept some of the same content."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(10))
    add_run(store, encoder_id, "run2", vectors_of(5), features="local")
    (segment,) = job.build_index(store).added
    assert segment.rows == 10
    assert segment.local == LocalFeaturesRecord(feature_rule=FEATURE_RULE, rows=5, features=sum(range(5)))


def test_runs_without_local_features_make_a_segment_without(made: tuple[Store, str]):
    """There is no such file, and nothing says that there is."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(10))
    (segment,) = job.build_index(store).added
    assert segment.local is None
    assert not any(name.startswith("local") for name in segment.files)
    assert segment.local_search_bytes == segment.local_verification_bytes == 0


def test_scann_segments_reach_the_recall_they_claim(made: tuple[Store, str]):
    """A tree is built when asked for; what it returns agrees with exact search as often as segment.json says."""
    from serving.search.snapshot import OpenSnapshot

    store, encoder_id = made
    vectors = vectors_of(3_000)
    add_run(store, encoder_id, "run1", vectors, per_shard=1_000)
    (segment,) = job.build_index(store, options=IndexOptions(exact_below=0, min_recall=0.9)).added
    assert segment.kind == "scann"
    assert segment.parameters.leaves > 1
    assert segment.recall_at_10 >= 0.9
    assert segment.recall_queries == 500
    assert segment.frontier
    assert SCANN_VECTORS not in segment.files
    queries = vectors_of(200, seed=7)
    with OpenSnapshot(store) as opened:
        found = neighbours_of(opened, queries, 10)
        names = [{opened.photo(one.place)["photo_id"] for one in neighbours} for neighbours in found]
    best = np.argsort(-(queries @ vectors.T), axis=1)[:, :10]
    hits = sum(len(got & {f"run1/{row}.jpg" for row in rows}) for got, rows in zip(names, best, strict=True))
    assert hits / 2_000 > 0.85


def test_a_handful_of_rows_is_searched_exactly_whatever_is_asked_for(made: tuple[Store, str]):
    """ScaNN cannot learn from so few."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(15))
    assert job.build_index(store, options=IndexOptions(exact_below=0)).added[0].kind == "exact"
    add_run(store, encoder_id, "run2", vectors_of(16, seed=1), prefix="x")
    assert job.build_index(store, options=IndexOptions(exact_below=0)).added[0].kind == "scann"


def test_recall_under_the_bar_publishes_nothing(made: tuple[Store, str], monkeypatch: pytest.MonkeyPatch):
    """The error names the recall and the bar, and no snapshot appears."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(200))
    monkeypatch.setattr(tune, "shares_found", lambda found, _: np.full(len(found), 0.5))
    with pytest.raises(ArtifactRefusedError, match=r"is 0\.500, expected at least 0\.95"):
        job.build_index(store, options=IndexOptions(exact_below=0))
    assert snapshot_numbers(store) == []
    assert list(store.local_root.glob("segments/*/segment.json")) == []


def test_a_second_attempt_writes_a_segment_of_its_own(made: tuple[Store, str]):
    """A runner may run the step twice, even late: what the first attempt finished stays as it is."""
    store, encoder_id = made
    run = add_run(store, encoder_id, "run1", vectors_of(20))
    spec, digest = read_spec(store, encoder_id)
    (plan,) = plan_segments([FinishedRun(run, "digest")], IndexOptions())
    build = partial(build_segment.build_segment, plan, store=store, spec=spec, encoder_digest=digest)
    _, first = build(options=IndexOptions(), surroundings=Surroundings())
    _, second = build(options=IndexOptions(), surroundings=Surroundings())
    assert first.segment_id != second.segment_id
    assert read_segment(store, first).rows == 20


def test_an_error_says_which_segment_it_struck(made: tuple[Store, str], monkeypatch: pytest.MonkeyPatch):
    """Of many segments the one that failed is named, and the type of the error stays."""
    store, encoder_id = made
    add_run(store, encoder_id, "run1", vectors_of(20), per_shard=10)

    def full(*_: Any, **__: Any) -> None:
        raise TemporaryError("disk full")

    monkeypatch.setattr(build_segment, "collapse", full)
    with pytest.raises(TemporaryError, match=r"^segment 0 of this index: disk full$"):
        job.build_index(store)


def test_euclidean_encoders_are_indexed_by_distance(tmp_path: Path):
    """Long vectors do not win: the nearest one does, through ScaNN as by the oracle."""
    from serving.search.snapshot import OpenSnapshot

    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store, distance="euclidean", dimension=DIMENSION)
    vectors = vectors_of(500) * np.random.default_rng(3).uniform(1, 9, (500, 1)).astype(np.float32)
    add_run(store, encoder_id, "run1", vectors)
    (segment,) = job.build_index(store, options=IndexOptions(exact_below=0)).added
    assert segment.kind == "scann"
    queries = vectors[:50] + 0.05
    nearest = np.linalg.norm(queries[:, None] - vectors[None], axis=2)
    with OpenSnapshot(store) as opened:
        for query, neighbours in enumerate(neighbours_of(opened, queries, 3)):
            best = int(nearest[query].argmin())
            assert opened.photo(neighbours[0].place)["photo_id"] == f"run1/{best}.jpg"
            assert neighbours[0].similarity == pytest.approx(1 / (1 + nearest[query, best]), abs=1e-3)
