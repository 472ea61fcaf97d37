"""One open segment: neighbours by vector, rows by content, photos by row."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.artifact import FileRecord
from foundation.store.segments import CONTENT_HASHES, LOCAL_SCANN, PHOTOS, SCANN, VECTORS
from serving.search import photo_table
from serving.search.segment import OpenSegment, unlisted_files
from tests.builders import content, photo_columns, segment, shard_table

DIMENSION = 8


def build(directory: Path, hashes: list[bytes], *, row_group: int = 4, distance: str = "cosine") -> OpenSegment:
    """Writes the files of an exact segment by hand and opens it; vectors are random of unit length."""
    hashes = sorted(hashes)
    photos = [photo_columns(f"photo-{number}", content_sha256=one) for number, one in enumerate(hashes)]
    vectors = np.random.default_rng(0).standard_normal((len(hashes), DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    table: pa.Table = shard_table(photos, vectors=vectors).drop_columns(["embedding"])
    directory.mkdir(exist_ok=True)
    parquet.write_table(table, directory / PHOTOS, row_group_size=row_group)
    np.save(directory / CONTENT_HASHES, np.array(hashes, "S32"))
    np.save(directory / VECTORS, vectors)
    rows = len(hashes)
    return OpenSegment(directory, segment(rows=rows, photos=rows, distance=distance, dimension=DIMENSION))


@pytest.fixture
def opened(tmp_path: Path) -> OpenSegment:
    """Ten photos in three row groups."""
    return build(tmp_path, [content(number) for number in range(10)])


def test_a_content_is_found_by_its_hash(opened: OpenSegment) -> None:
    """Known contents give their row, unknown ones None, in the order of the question; no question is no error."""
    known = sorted(content(number) for number in range(10))
    asked = [known[3], content("unknown"), known[0], known[9], known[3]]
    assert opened.find(asked) == [3, None, 0, 9, 3]
    assert opened.find([]) == []


def test_hashes_with_zero_bytes_are_found(tmp_path: Path) -> None:
    """NumPy drops trailing zeros of single values: hashes that differ in them alone must not be confused."""
    hashes = [bytes(32), bytes(31) + b"\1", b"\1" + bytes(31), b"\1" + bytes(30) + b"\1", b"\xff" * 31 + b"\0"]
    opened = build(tmp_path, hashes)
    assert opened.find(sorted(hashes)) == [0, 1, 2, 3, 4]
    assert opened.find([b"\2" + bytes(31), b"\xff" * 32, b"\1" + bytes(29) + b"\1\0"]) == [None, None, None]
    assert [one.ljust(32, b"\0") for one in opened.contents(np.arange(5)).tolist()] == sorted(hashes)


@given(st.data())
def test_any_hash_is_found_or_not(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """The binary search agrees with a dictionary."""
    short = st.binary(max_size=2).map(lambda head: head.ljust(32, b"\0"))
    hashes = data.draw(st.lists(short, min_size=1, max_size=8, unique=True))
    asked = data.draw(st.lists(short, max_size=8))
    opened = OpenSegment.__new__(OpenSegment)
    opened.hashes = np.array(sorted(hashes), "S32")
    rows = {one: row for row, one in enumerate(sorted(hashes))}
    assert opened.find(asked) == [rows.get(one) for one in asked]


@pytest.mark.parametrize("row_group", [1, 3, 4, 10, 100])
def test_photos_are_fetched_across_row_groups(tmp_path: Path, row_group: int) -> None:
    """Each row gives its own photo, whichever row group holds it."""
    opened = build(tmp_path, [content(number) for number in range(10)], row_group=row_group)
    for row in [9, 0, 4, 3, 3, 8, 5, 1, 7, 2, 6]:
        photo = opened.photo(row)
        assert photo["photo_id"] == f"photo-{row}"
        assert opened.find([photo["content_sha256"]]) == [row]
        assert photo["occurrences"][0]["uri"] == f"file:///photo-{row}"


def test_row_groups_read_lately_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos of one row group cost one read; the cache is bounded, and an old group is read again."""
    monkeypatch.setattr(photo_table, "CACHED_ROW_GROUPS", 1)
    reads: list[int] = []
    read_row_group = parquet.ParquetFile.read_row_group
    monkeypatch.setattr(
        parquet.ParquetFile, "read_row_group", lambda file, group: reads.append(group) or read_row_group(file, group)
    )
    opened = build(tmp_path, [content(number) for number in range(10)])
    for row in (0, 3, 1, 4, 7, 0):
        opened.photo(row)
    assert reads == [0, 1, 0]


def test_one_thread_at_a_time_reads_the_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries are answered in threads: pyarrow's reader mixes up what several of them read at a time."""
    reading, most = [], []

    def read(self: parquet.ParquetFile, group: int) -> pa.Table:
        reading.append(group)
        most.append(len(reading))
        time.sleep(0.01)
        reading.remove(group)
        return original(self, group)

    original = parquet.ParquetFile.read_row_group
    monkeypatch.setattr(parquet.ParquetFile, "read_row_group", read)
    opened = build(tmp_path, [content(number) for number in range(10)])
    with ThreadPoolExecutor(4) as pool:
        names = [photo["content_sha256"] for photo in pool.map(opened.photo, range(10))]
    assert names == sorted(content(number) for number in range(10))
    assert max(most) == 1


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_exact_search_finds_the_nearest(tmp_path: Path, distance: str) -> None:
    """A vector finds itself first with similarity 1; more neighbours than rows are not made up."""
    opened = build(tmp_path, [content(number) for number in range(10)], distance=distance)
    vectors = np.load(tmp_path / VECTORS)
    rows, similarities = opened.search(vectors[[7, 2]], k=3)
    assert rows.shape == similarities.shape == (2, 3)
    assert rows[:, 0].tolist() == [7, 2]
    np.testing.assert_allclose(similarities[:, 0], 1, atol=1e-3)
    assert (np.diff(similarities, axis=1) <= 0).all()
    rows, similarities = opened.search(vectors[:1], k=50)
    assert sorted(row for row in rows[0].tolist() if row >= 0) == list(range(10))


@pytest.mark.parametrize(
    ("vectors", "found"),
    [
        (np.zeros((1, DIMENSION + 1), np.float32), r"float32 \[1, 9\]"),
        (np.zeros((2, DIMENSION), np.float32), r"float32 \[2, 8\]"),
        (np.zeros((1, DIMENSION), np.float16), r"float16 \[1, 8\]"),
    ],
)
def test_vectors_of_another_shape_or_type_are_refused(tmp_path: Path, vectors: np.ndarray, found: str) -> None:
    """Both sides are named: a row of another photo must never be taken for the match's."""
    build(tmp_path, [content(0)])
    np.save(tmp_path / VECTORS, vectors)
    with pytest.raises(ArtifactRefusedError, match=rf"holds {found}, expected float32 \[1, 8\]; index again"):
        OpenSegment(tmp_path, segment(dimension=DIMENSION))


def test_pickled_arrays_are_not_loaded(tmp_path: Path) -> None:
    """Nothing from a store is executed: an array of objects is refused."""
    build(tmp_path, [content(0)])
    for name in (CONTENT_HASHES, VECTORS):
        kept = (tmp_path / name).read_bytes()
        np.save(tmp_path / name, np.array([{"a": 1}], object), allow_pickle=True)
        with pytest.raises(ValueError, match=r"Python objects in dtype|allow_pickle"):
            OpenSegment(tmp_path, segment())
        (tmp_path / name).write_bytes(kept)


@pytest.fixture
def scann_folder(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a segment's directory with these files in ScaNN's folder."""

    def make(*names: str) -> Path:
        (tmp_path / SCANN).mkdir()
        for name in names:
            (tmp_path / SCANN / name).write_bytes(b"x")
        return tmp_path

    return make


def test_files_that_the_description_does_not_list_are_named(scann_folder: Callable[..., Path]) -> None:
    """ScaNN's loader unpickles a file that happens to lie there."""
    folder = scann_folder("scann_config.pb", "scann_docids.pkl", "extra")
    listed = segment(kind="scann", files={"scann/scann_config.pb": FileRecord(1, "")})
    assert unlisted_files(folder, listed) == ["scann/extra", "scann/scann_docids.pkl"]
    tree = folder / LOCAL_SCANN / "0000"
    tree.mkdir(parents=True)
    (tree / "scann_docids.pkl").write_bytes(b"x")
    assert f"{LOCAL_SCANN}/0000/scann_docids.pkl" in unlisted_files(folder, listed)


@pytest.mark.parametrize("row_group", [1, 3, 4, 10, 100])
def test_rows_that_follow_each_other_are_read_at_once(tmp_path: Path, row_group: int) -> None:
    """Any range of them, across row groups, and an empty one."""
    ((_, table),) = build(tmp_path, [content(number) for number in range(10)], row_group=row_group).tables
    for start in range(11):
        for end in range(start, 11):
            names = [f"photo-{row}" for row in range(start, end)]
            assert table.between(start, end)["photo_id"].to_pylist() == names
