"""The inventory: one row per file, in row groups that are the pieces of work."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.archives.archive import open_archive
from foundation.errors import InputNotFoundError, UsageError
from foundation.store.files import Store
from foundation.store.runs import inventory_schema
from pipelines.encode import inventory
from pipelines.encode.catalog import read_catalog


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store", create=True)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Ten small files."""
    (tmp_path / "archive").mkdir()
    for number in range(10):
        (tmp_path / "archive" / f"{number}.jpg").write_bytes(b"x" * number)
    return tmp_path / "archive"


@pytest.mark.parametrize(("chunk_photos", "joined_photos"), [(3, 1), (3, 7), (3, 65_536), (10, 10), (512, 65_536)])
def test_every_file_is_one_row_and_every_chunk_one_row_group(
    store: Store, archive: Path, monkeypatch: pytest.MonkeyPatch, chunk_photos: int, joined_photos: int
) -> None:
    """The chunks hold the listing in its order, each as large as asked for, however many are listed at a time."""
    monkeypatch.setattr(inventory, "JOINED_PHOTOS", joined_photos)
    listed = inventory.write_inventory(
        store, "i.parquet", open_archive(str(archive)), catalog=None, chunk_photos=chunk_photos
    )
    chunks = [
        inventory.read_chunk(store, "i.parquet", chunk) for chunk in range(inventory.count_chunks(store, "i.parquet"))
    ]
    assert listed == inventory.Listing(photos=10, in_catalog=0)
    assert [row["photo_id"] for chunk in chunks for row in chunk] == [f"{number}.jpg" for number in range(10)]
    assert [len(chunk) for chunk in chunks[:-1]] == [chunk_photos] * (len(chunks) - 1)
    assert len(chunks[-1]) <= chunk_photos


def test_the_columns_are_the_contract_and_the_catalog_is_joined(store: Store, archive: Path, tmp_path: Path) -> None:
    """Sizes and times come from the files, captions from the catalog, in every chunk."""
    (tmp_path / "catalog.csv").write_text("photo_id,caption\n9.jpg,nine\n0.jpg,zero\n")
    catalog = read_catalog(tmp_path / "catalog.csv").rows
    listed = inventory.write_inventory(store, "i.parquet", open_archive(str(archive)), catalog=catalog, chunk_photos=4)
    assert listed.in_catalog == 2
    with store.open("i.parquet") as file:
        table = parquet.read_table(file)
    assert table.schema == inventory_schema()
    assert table["size_bytes"].to_pylist() == list(range(10))
    assert table["caption"].to_pylist() == ["zero", *[None] * 8, "nine"]
    assert table["modified_at"].null_count == 0


def test_a_large_archive_joins_the_catalog_a_few_times_only(
    store: Store, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each join hashes the whole catalog: one per chunk would be quadratic."""
    joins = []
    monkeypatch.setattr(inventory, "join_catalog", lambda table, catalog: joins.append(table.num_rows) or table)
    inventory.write_inventory(
        store, "i.parquet", open_archive(str(archive)), catalog=pa.table({"photo_id": ["3.jpg"]}), chunk_photos=2
    )
    assert joins == [10]
    assert inventory.count_chunks(store, "i.parquet") == 5


def test_a_catalog_of_another_archive_is_refused(store: Store, archive: Path, tmp_path: Path) -> None:
    """Without a single photo in common, one of the two is the wrong one; the error shows what ids look like."""
    (tmp_path / "catalog.csv").write_text("photo_id,caption\n/abs/0.jpg,zero\n")
    catalog = read_catalog(tmp_path / "catalog.csv").rows
    with pytest.raises(UsageError, match=r"names none of the 10 photos .* such as '0\.jpg'"):
        inventory.write_inventory(store, "i.parquet", open_archive(str(archive)), catalog=catalog)
    assert not store.exists("i.parquet")


def test_an_empty_archive_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    """Folders without files are an input error, and no inventory is written."""
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    with pytest.raises(InputNotFoundError, match="is empty; expected at least one photo"):
        inventory.write_inventory(store, "i.parquet", open_archive(str(tmp_path / "empty")), catalog=None)
    assert not store.exists("i.parquet")
