"""The encode job on every kind of archive: the same photos give the same rows, wherever they lie."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.archives.archive import open_archive, read, read_photos
from foundation.encoder import SavedEncoder
from foundation.photos import photo
from foundation.store.runs import CHANGES, Accounting, Run
from pipelines.encode import job
from pipelines.encode.work import Work
from tests.foundation.archives.test_tar_shards import write_shard
from tests.photos import jpeg, scene
from tests.pipelines.encode.test_job import encode, read_rejects, read_rows

# Seven photos, the last one a copy of the first, and one that is broken.
PHOTOS = [*(jpeg(scene(number)) for number in range(6)), jpeg(scene(0))]
BROKEN = jpeg(scene(9))[:300]
NAMES = [f"{number}.jpg" for number in range(8)]


def as_folder(folder: Path) -> list[str]:
    """Writes files."""
    for name, data in zip(NAMES, [*PHOTOS, BROKEN], strict=True):
        (folder / name).write_bytes(data)
    return NAMES


def as_tar_shards(folder: Path) -> list[str]:
    """Writes two shards, with labels beside the photos, which are no photos."""
    members = list(zip(NAMES, [*PHOTOS, BROKEN], strict=True))
    write_shard(folder / "a.tar", [*members[:3], ("0.cls", b"7")])
    write_shard(folder / "b.tar", [*members[3:], ("3.json", b"{}")])
    return [f"{'a' if number < 3 else 'b'}.tar#{name}" for number, name in enumerate(NAMES)]


def as_parquet(folder: Path) -> list[str]:
    """Writes two tables of small row groups, whose borders are not those of the chunks."""
    data = [*PHOTOS, BROKEN]
    parquet.write_table(pa.table({"image": data[:5]}), folder / "a.parquet", row_group_size=3)
    parquet.write_table(pa.table({"image": data[5:]}), folder / "b.parquet", row_group_size=3)
    return [*(f"a.parquet#{row}" for row in range(5)), *(f"b.parquet#{row}" for row in range(3))]


def content_and_vectors(rows: list[dict]) -> dict[bytes, list[float]]:
    """The vector of each content."""
    return {row["content_sha256"]: row["embedding"] for row in rows}


@pytest.fixture
def another(store: Path, tmp_path: Path) -> Path:
    """A copy of the store as it was before anything was encoded."""
    return Path(shutil.copytree(store, tmp_path / "another"))


@pytest.fixture
def reference(store: Path, another: Path, tmp_path: Path) -> tuple[Run, dict[bytes, list[float]]]:
    """The run over the photos as files, and the vectors of their contents."""
    (tmp_path / "files").mkdir()
    as_folder(tmp_path / "files")
    run = encode(store, tmp_path / "files")
    return run, content_and_vectors(read_rows(store, run))


@pytest.mark.parametrize("write", [as_folder, as_tar_shards, as_parquet])
def test_the_same_photos_give_the_same_rows(
    another: Path, tmp_path: Path, reference: tuple[Run, dict], write: Callable[[Path], list[str]]
) -> None:
    """Vectors, duplicates and rejects are those of a folder; ids follow the rule of the archive; URIs lead back."""
    expected_run, expected = reference
    folder = tmp_path / "archive"
    folder.mkdir()
    names = write(folder)
    run = encode(another, folder)
    rows = read_rows(another, run)
    assert run.accounting == expected_run.accounting
    assert run.accounting == Accounting(
        listed=8, embedded=6, duplicates=1, rejected={"truncated": 1}, photos=7, contents=6
    )
    assert [row["photo_id"] for row in rows] == names[:6]
    assert read_rejects(another, run) == {names[7]: "truncated"}
    (copy,) = parquet.read_table(another / run.directory / CHANGES).to_pylist()
    assert (copy["photo_id"], copy["content_sha256"]) == (names[6], rows[0]["content_sha256"])
    found = content_and_vectors(rows)
    assert set(found) == set(expected)
    for content, vector in found.items():
        np.testing.assert_allclose(vector, expected[content], atol=1e-5)
    assert [read(row["uri"]) for row in rows] == PHOTOS[:6]


def test_a_shard_that_is_gone_since_the_listing_is_rejects(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One lost file of many costs its own photos, and no run over a million others."""
    folder = tmp_path / "archive"
    folder.mkdir()
    names = as_tar_shards(folder)
    plan_work = job.plan_work

    def removed(*arguments, **named) -> Work:
        (folder / "a.tar").unlink()
        return plan_work(*arguments, **named)

    monkeypatch.setattr(job, "plan_work", removed)
    run = encode(store, folder)
    assert {
        name: reason for name, reason in read_rejects(store, run).items() if reason == "unreadable"
    } == dict.fromkeys(names[:3], "unreadable")
    assert [row["photo_id"] for row in read_rows(store, run)] == names[3:7]


def test_a_tensorflow_dataset_is_encoded_like_its_photos_in_a_folder(
    store: Path,
    another: Path,
    tmp_path: Path,
    shared_data: Path,
    saved_encoder: SavedEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its records are encoded images: the same bytes as files have the same contents, and the same vectors."""
    data_dir = shared_data / "tfds"
    if not (data_dir / "mnist").is_dir():
        pytest.skip("no prepared TensorFlow Datasets in the shared data")
    archive = open_archive("tfds:mnist/test", data_dir=data_dir)
    some = [entry for entry, _ in zip(archive.list(), range(20), strict=False)]
    monkeypatch.setattr("foundation.archives.tensorflow_datasets.list_split", lambda _: iter(some))
    run = encode(store, Path("tfds:mnist/test"), data_dir=data_dir)
    rows = read_rows(store, run)
    assert run.archive.startswith("tfds:mnist/test?data_dir=")
    assert sorted(row["photo_id"] for row in rows) == sorted(f"mnist/test#{record}" for record in range(20))

    folder = tmp_path / "files"
    folder.mkdir()
    for number, one in enumerate(read_photos(entry.uri for entry in some)):
        (folder / f"{number:02}.png").write_bytes(one.read())
    expected = content_and_vectors(read_rows(another, encode(another, folder)))
    found = content_and_vectors(rows)
    assert set(found) == set(expected)
    for content, vector in found.items():
        np.testing.assert_allclose(vector, expected[content], atol=1e-5)
    data = read(rows[3]["uri"])
    assert photo.decode(data, size=saved_encoder.spec.size).content_sha256 == rows[3]["content_sha256"]
