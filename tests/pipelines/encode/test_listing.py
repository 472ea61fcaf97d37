"""The listing: one row per photo in its order, with its catalog, and never a folder that could not be listed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.archives.archive import Archive, open_archive
from foundation.archives.photos import Entry
from foundation.errors import InputNotFoundError, UsageError
from foundation.store.run_tables import catalog_fields
from pipelines.encode import listing
from pipelines.encode.listing import Listing, listing_schema, write_listing


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Ten small files."""
    (tmp_path / "archive").mkdir()
    for number in range(10):
        (tmp_path / "archive" / f"{number}.jpg").write_bytes(b"x" * number)
    return open_archive(str(tmp_path / "archive"))


def catalog_of(**captions: str) -> pa.Table:
    """Returns a catalog with the captions of some photos, by their names without the suffix."""
    fields = [pa.field("photo_id", pa.string()), *catalog_fields()]
    rows = [{"photo_id": f"{name.removeprefix('n')}.jpg", "caption": caption} for name, caption in captions.items()]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


@pytest.mark.parametrize("at_once", [1, 3, 10, 65_536])
def test_every_photo_is_one_row_at_its_place(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """However many are listed at a time; whoever watches is told how many there are so far."""
    monkeypatch.setattr(listing, "LISTED_AT_ONCE", at_once)
    told: list[int] = []
    listed = write_listing(tmp_path / "l.parquet", archive, catalog=None, on_listed=told.append)
    table = parquet.read_table(tmp_path / "l.parquet")
    assert listed == Listing(tmp_path / "l.parquet", photos=10)
    assert table.schema == listing_schema()
    assert table["photo_id"].to_pylist() == [f"{number}.jpg" for number in range(10)]
    assert table["position"].to_pylist() == table["size_bytes"].to_pylist() == list(range(10))
    assert table["modified_at"].null_count == 0
    assert told == [*range(at_once, 10, at_once), 10]


def test_the_catalog_is_joined_and_says_whom_it_names(archive: Archive, tmp_path: Path) -> None:
    """A photo that it names has its words, also empty ones, and one that it does not has none."""
    listed = write_listing(tmp_path / "l.parquet", archive, catalog=catalog_of(n9="nine", n0="zero"))
    assert listed.in_catalog == 2
    rows = parquet.read_table(tmp_path / "l.parquet").to_pylist()
    assert [row["caption"] for row in rows] == ["zero", *[None] * 8, "nine"]
    assert [row["is_given"] for row in rows] == [True, *[False] * 8, True]


def test_a_large_archive_joins_the_catalog_a_few_times_only(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each join hashes the whole catalog: one per photo would be quadratic."""
    joins: list[int] = []
    monkeypatch.setattr(listing, "join_catalog", lambda table, catalog: joins.append(table.num_rows) or table)
    write_listing(tmp_path / "l.parquet", archive, catalog=catalog_of(n3="three"))
    assert joins == [10]


def test_a_catalog_of_another_archive_is_refused(archive: Archive, tmp_path: Path) -> None:
    """Without a single photo in common, one of the two is the wrong one; the error shows what ids look like."""
    with pytest.raises(UsageError, match=r"names none of the 10 photos .* such as '0\.jpg'"):
        write_listing(tmp_path / "l.parquet", archive, catalog=catalog_of(other="x"))


def test_an_empty_archive_is_an_input_error(tmp_path: Path) -> None:
    """Folders without files hold nothing to account for."""
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    with pytest.raises(InputNotFoundError, match="is empty; expected at least one photo"):
        write_listing(tmp_path / "l.parquet", open_archive(str(tmp_path / "empty")), catalog=None)


@pytest.mark.parametrize("patterns", [{"include": ["*.gif"]}, {"exclude": ["*"]}])
def test_patterns_that_leave_nothing_are_named(archive: Archive, tmp_path: Path, patterns: dict) -> None:
    """The archive is not empty, and whoever looks for its photos would look in the wrong place."""
    nothing = open_archive(archive.uri, **patterns)
    with pytest.raises(
        InputNotFoundError, match=r"left out \((not included|excluded): 10\); see --include and --exclude"
    ):
        write_listing(tmp_path / "l.parquet", nothing, catalog=None)


@pytest.mark.parametrize("catalog", [None, catalog_of(n3="three")])
@pytest.mark.parametrize("at_once", [1, 100])
def test_a_folder_that_cannot_be_listed_is_no_photo(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, catalog: pa.Table | None
) -> None:
    """It is remembered by its name, also when it is all that is listed at a time, and beside a catalog."""
    monkeypatch.setattr(listing, "LISTED_AT_ONCE", at_once)

    def entries() -> Iterator[Entry]:
        yield Entry("closed", "file:///closed", -1, None, is_folder=True)
        yield from archive.list()
        yield Entry("z", "file:///z", -1, None, is_folder=True)

    listed = write_listing(tmp_path / "l.parquet", replace(archive, list=entries), catalog=catalog)
    assert (listed.photos, listed.unlistable) == (10, ["closed", "z"])
    assert parquet.read_metadata(tmp_path / "l.parquet").num_rows == 10
