"""Opening a snapshot: wherever the store lies, and only if every byte is the one that was published."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.photos.local_features import FEATURE_RULE
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.segments import LOCAL_FILES, LOCAL_SCANN, Segment, segment_directory, segment_path
from foundation.store.snapshots import publish, read_contents, read_snapshot
from pipelines.index.job import build_index
from pipelines.index.plan import IndexOptions
from serving.search import segment as segment_module
from serving.search import snapshot
from serving.search.segment import open_segment
from serving.search.snapshot import OpenSnapshot
from tests.builders import Distance, add_encoder, add_run, content, local_columns, neighbours_of, unit_vectors
from tests.conftest import Desk


@pytest.fixture
def scann_store(tmp_path: Path) -> Store:
    """A store with one exact and one ScaNN segment."""
    store = Store(tmp_path / "made", create=True)
    encoder_id = add_encoder(store, dimension=8)
    add_run(store, encoder_id, "run1", unit_vectors(300, 8))
    build_index(store, options=IndexOptions(exact_below=0))
    add_run(store, encoder_id, "run2", unit_vectors(40, 8, seed=1), prefix="x")
    build_index(store)
    return store


def names_of(opened: OpenSnapshot, queries: np.ndarray, k: int = 5) -> list[list[str]]:
    """Returns the photo_ids found for each query."""
    return [[opened.photo(one.place)["photo_id"] for one in found] for found in neighbours_of(opened, queries, k)]


def test_a_moved_or_copied_store_gives_the_same_answers(scann_store: Store, tmp_path: Path):
    """No path is written into any artifact."""
    queries = unit_vectors(20, 8, seed=5)
    with OpenSnapshot(scann_store) as opened:
        expected = names_of(opened, queries)
    shutil.copytree(scann_store.local_root, tmp_path / "another machine")
    scann_store.local_root.rename(tmp_path / "moved")
    for place in ("another machine", "moved"):
        with OpenSnapshot(Store(tmp_path / place)) as opened:
            assert names_of(opened, queries) == expected


def test_every_flipped_bit_is_refused(scann_store: Store):
    """Each file of each segment is checked before it is loaded; ScaNN itself would not notice."""
    files = [path for path in scann_store.local_root.glob("segments/**/*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        original = path.read_bytes()
        data = bytearray(original)
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(ArtifactRefusedError):
            OpenSnapshot(scann_store)
        path.write_bytes(original)
    with OpenSnapshot(scann_store) as opened:
        assert len(neighbours_of(opened, unit_vectors(1, 8), 3)[0]) == 3


def test_a_missing_file_is_named(scann_store: Store):
    """A half-copied store does not answer."""
    path = next(scann_store.local_root.glob("segments/*/photos.parquet"))
    path.unlink()
    with pytest.raises(InputNotFoundError, match=r"photos\.parquet"):
        OpenSnapshot(scann_store)


def test_a_pickle_slipped_into_a_segment_is_refused(scann_store: Store):
    """ScaNN's loader would unpickle scann_docids.pkl, which is to run a stranger's program."""
    directory = next(scann_store.local_root.glob("segments/*/scann"))
    (directory / "scann_docids.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(ArtifactRefusedError, match=r"scann_docids\.pkl"):
        OpenSnapshot(scann_store)


@pytest.mark.parametrize("name", ["vectors.npy", "photos.parquet", "content_hashes.npy", *sorted(LOCAL_FILES)])
def test_a_file_that_is_not_listed_is_not_read(tmp_path: Path, name: str):
    """A description that leaves a file out, even in a consistent chain, does not get it loaded unchecked."""
    store = Store(tmp_path / "made", create=True)
    add_run(store, add_encoder(store, dimension=8), "run1", unit_vectors(20, 8), features="local")
    (segment,) = build_index(store).added
    forged = replace(segment, files={key: record for key, record in segment.files.items() if key != name})
    data = artifact.to_json(forged)
    (store.local_root / segment_path(segment.segment_id)).write_bytes(data)
    live = read_snapshot(store)
    reference = replace(live.segments[0], digest=artifact.digest_of(data))
    publish(store, replace(live, number=2, segments=[reference]))
    with pytest.raises(ArtifactRefusedError, match=f"does not list .*{name}"):
        OpenSnapshot(store)


def test_a_pickle_slipped_into_the_trees_of_local_features_is_refused(tmp_path: Path):
    """They are loaded by the same loader, each from a folder of its own."""
    store = Store(tmp_path / "made", create=True)
    add_run(store, add_encoder(store, dimension=8), "run1", unit_vectors(20, 8), features="local")
    (segment,) = build_index(store).added
    tree = store.local_root / segment_directory(segment.segment_id) / LOCAL_SCANN / "0000"
    tree.mkdir(parents=True)
    (tree / "scann_docids.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(ArtifactRefusedError, match=r"local/scann/0000/scann_docids\.pkl"):
        OpenSnapshot(store)


def test_local_features_are_known_of_if_any_segment_has_some(tmp_path: Path):
    """Each segment says where its own lie; of those without it says that there are none, and nothing to load."""
    store = Store(tmp_path / "made", create=True)
    encoder_id = add_encoder(store, dimension=8)
    add_run(store, encoder_id, "run1", unit_vectors(20, 8))
    build_index(store)
    with OpenSnapshot(store) as opened:
        assert not opened.has_local_features
    add_run(store, encoder_id, "run2", unit_vectors(20, 8), prefix="x", features="local")
    build_index(store)
    with OpenSnapshot(store) as opened:
        assert opened.has_local_features
        opened.load_trees()
    first, second = read_contents(store, read_snapshot(store))[1]
    with open_segment(store, first) as segment:
        assert segment.local is None
    with open_segment(store, second) as segment:
        (row,) = segment.find([content("x7")])
        assert (segment.local.photos, segment.local.features) == (20, sum(range(20)))
        assert segment.local.stored(row).features.descriptors.tobytes() == local_columns(7, seed=7)["descriptors"]


def test_a_photo_encoded_again_is_kept_where_it_has_features(tmp_path: Path):
    """The first of two segments holds photos with features and without: of the latter nothing is kept there."""
    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store, dimension=8)
    add_run(store, encoder_id, "run1", unit_vectors(10, 8))
    add_run(store, encoder_id, "run2", unit_vectors(5, 8), features="local")
    build_index(store)
    add_run(store, encoder_id, "run3", unit_vectors(10, 8), features="local")
    build_index(store)
    with OpenSnapshot(store) as opened:
        kept = [
            [opened.stored(place) is not None for place in places] for places in opened.places([content(4), content(7)])
        ]
    assert kept == [[True, True], [False, True]]


def test_local_features_that_the_description_does_not_count_are_refused(tmp_path: Path):
    """A file of another segment, whole in itself, would name the wrong photos."""
    store = Store(tmp_path / "made", create=True)
    add_run(store, add_encoder(store, dimension=8), "run1", unit_vectors(20, 8), features="local")
    (segment,) = build_index(store).added
    directory = store.local_root / segment_directory(segment.segment_id)
    with pytest.raises(ArtifactRefusedError, match=r"190 local features of 20 rows, its description counts 190 of 21"):
        segment_module._open_local(directory, replace(segment, rows=21))


def test_local_features_of_another_rule_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A query's would resemble none of them: both rules are named."""
    store = Store(tmp_path / "made", create=True)
    add_run(store, add_encoder(store, dimension=8), "run1", unit_vectors(20, 8), features="local")
    build_index(store)
    monkeypatch.setattr(segment_module, "FEATURE_RULE", 9)
    with pytest.raises(ArtifactRefusedError, match=rf"made by rule {FEATURE_RULE}, .* by rule 9; use the version"):
        OpenSnapshot(store)


def test_contents_are_found_in_every_segment(scann_store: Store):
    """Search by hash answers for the segments that hold it."""
    with OpenSnapshot(scann_store) as opened:
        neighbours = neighbours_of(opened, unit_vectors(1, 8), 2)[0]
        contents = [opened.photo(one.place)["content_sha256"] for one in neighbours]
        assert [one.content for one in neighbours] == contents
        assert opened.places([*contents, b"\0" * 32]) == [*([one.place] for one in neighbours), []]


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_vectors_are_those_that_were_indexed(tmp_path: Path, distance: Distance):
    """From an exact segment and from ScaNN's own file, for both distances, for neighbours found and for contents."""
    store = Store(tmp_path / "made", create=True)
    encoder_id = add_encoder(store, dimension=8, distance=distance)
    length = 1 if distance == "cosine" else 50
    indexed = {"run1": length * unit_vectors(300, 8), "run2": length * unit_vectors(40, 8, seed=1)}
    add_run(store, encoder_id, "run1", indexed["run1"])
    build_index(store, options=IndexOptions(exact_below=0))
    add_run(store, encoder_id, "run2", indexed["run2"], prefix="x")
    build_index(store)
    with OpenSnapshot(store) as opened:
        found = [one.place for one in neighbours_of(opened, length * unit_vectors(1, 8, seed=7), 100)[0]]
        found += [one for some in opened.places([content("17"), content("x3")]) for one in some]
        places = [opened.photo(one)["photo_id"].removesuffix(".jpg").split("/") for one in found]
        vectors = opened.vectors(found)
    assert {run for run, _ in places} == {"run1", "run2"}
    expected = [indexed[run][int(name.removeprefix("x"))] for run, name in places]
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, expected)


def test_k_larger_than_what_is_found_repeats_nothing(scann_store: Store):
    """Missing neighbours, which ScaNN returns as row 0 with NaN, are no matches."""
    with OpenSnapshot(scann_store) as opened:
        found = neighbours_of(opened, unit_vectors(2, 8, seed=9), 500)
    for neighbours in found:
        assert len({one.content for one in neighbours}) == len(neighbours)
        assert 40 < len(neighbours) <= 340
        assert all(np.isfinite(one.similarity) for one in neighbours)
        assert [one.similarity for one in neighbours] == sorted((one.similarity for one in neighbours), reverse=True)


def test_an_older_snapshot_can_be_opened(scann_store: Store):
    """The number chooses; without it the highest is live."""
    with OpenSnapshot(scann_store, 1) as opened:
        assert opened.snapshot.contents == 300
    with OpenSnapshot(scann_store) as opened:
        assert opened.snapshot.contents == 340
    with pytest.raises(InputNotFoundError, match="it has 1 to 2"):
        OpenSnapshot(scann_store, 3)


def test_a_segment_of_another_encoder_is_refused(desk: Desk):
    """A snapshot that mixes encoders names both digests."""
    store = Store(desk.store)
    publish(store, replace(read_snapshot(store), number=2, encoder_digest="0" * 64))
    with pytest.raises(ArtifactRefusedError, match="snapshot 2 names 000000000000…"):
        OpenSnapshot(store)


def test_a_snapshot_without_segments_finds_nothing(scann_store: Store):
    """It answers: no neighbour for any vector, and no place for any content."""
    publish(scann_store, replace(read_snapshot(scann_store), number=3, segments=[]))
    with OpenSnapshot(scann_store) as opened:
        found = opened.search(unit_vectors(2, 8), 5)
        assert found.similarities.shape == found.contents.shape == (2, 0)
        assert opened.places([content("17")]) == [[]]


def test_a_segment_that_cannot_be_opened_closes_those_before_it(scann_store: Store, monkeypatch: pytest.MonkeyPatch):
    """A bucket's copies would stay on the disk otherwise."""
    events = []

    class Opening:
        def __init__(self, _store: Store, described: Segment):
            self._described = described

        def __enter__(self) -> Segment:
            if events:
                raise ArtifactRefusedError("damaged")
            events.append("opened")
            return self._described

        def __exit__(self, *_: object) -> None:
            events.append("closed")

    monkeypatch.setattr(snapshot, "open_segment", Opening)
    with pytest.raises(ArtifactRefusedError, match="damaged"):
        OpenSnapshot(scann_store)
    assert events == ["opened", "closed"]


def test_a_segment_may_be_opened_alone(scann_store: Store):
    """A worker of a large lookup searches the segments that are handed to it, and no others."""
    exact = read_contents(scann_store, read_snapshot(scann_store))[1][1]
    wanted = unit_vectors(40, 8, seed=1)[:3]
    with open_segment(scann_store, exact) as opened:
        nearest = opened.nearest(wanted, 2)
        assert nearest.contents[:, 0].tolist() == [content(f"x{row}").rstrip(b"\0") for row in range(3)]
        np.testing.assert_allclose(nearest.similarities[:, 0], 1, atol=1e-5)
