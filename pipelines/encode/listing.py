"""Lists an archive into a Parquet file of this machine: one row per photo, with what its catalog says of it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from foundation.archives.archive import Archive
from foundation.archives.filters import EXCLUDED, NOT_INCLUDED
from foundation.archives.photos import Entry
from foundation.errors import InputNotFoundError, UsageError
from foundation.store.run_tables import listing_fields
from pipelines.encode.catalog import join_catalog
from pipelines.encode.listeners import ignore

# Each join with the catalog hashes the whole catalog anew (0.6 s for a million rows): many photos share one.
LISTED_AT_ONCE = 65_536


@dataclass
class Listing:
    """A listing: how many photos it has, how many of them the catalog names, and which folders could not be listed."""

    path: Path
    photos: int = 0
    in_catalog: int = 0
    unlistable: list[str] = field(default_factory=list)


def listing_schema() -> pa.Schema:
    """Returns the columns of a listing: a photo's place in it, what is listed, and whether anything is given of it."""
    return pa.schema(
        [pa.field("position", pa.int64(), nullable=False), *listing_fields(), pa.field("is_given", pa.bool_())]
    )


def write_listing(
    path: Path, archive: Archive, *, catalog: pa.Table | None, on_listed: Callable[[int], None] = ignore
) -> Listing:
    """Lists the archive into one Parquet file, in bounded memory; `on_listed` is told how many photos there are so far.

    Raises InputNotFoundError if the archive is empty, UsageError if the catalog names none of its photos: then one of
    the two is the wrong one, and every date would be missing.
    """
    listing = Listing(path)
    named: list[str] = []
    with parquet.ParquetWriter(path, listing_schema(), compression="zstd") as writer:
        for table in _tables(archive, catalog, listing):
            writer.write_table(table)
            named = named or table["photo_id"][:1].to_pylist()
            on_listed(listing.photos)
    if not listing.photos and not archive.may_be_empty:
        raise InputNotFoundError(_empty(archive))
    if catalog is not None and not listing.in_catalog:
        raise UsageError(
            f"the catalog names none of the {listing.photos} photos of {archive.uri}; expected photo_ids of the "
            f"archive, such as {named[0]!r}"
        )
    return listing


def _empty(archive: Archive) -> str:
    """Returns what is told of an archive without a photo: whether it has none, or the patterns leave none."""
    left_out = ", ".join(f"{why}: {count:,}" for why, count in archive.left_out.items())
    if EXCLUDED in archive.left_out or NOT_INCLUDED in archive.left_out:
        return f"archive {archive.uri} has no photo that is not left out ({left_out}); see --include and --exclude"
    return (
        f"archive {archive.uri} is empty; expected at least one photo: see that all of it can be read, or take its "
        "photos out with --remove-archive"
    )


def _tables(archive: Archive, catalog: pa.Table | None, listing: Listing) -> Iterator[pa.Table]:
    entries = archive.list()
    while listed := list(islice(entries, LISTED_AT_ONCE)):
        photos = [entry for entry in listed if not entry.is_folder]
        listing.unlistable += [entry.photo_id for entry in listed if entry.is_folder]
        table, in_catalog = _table(photos, first=listing.photos, catalog=catalog)
        listing.photos += table.num_rows
        listing.in_catalog += in_catalog
        yield table


def _table(photos: list[Entry], *, first: int, catalog: pa.Table | None) -> tuple[pa.Table, int]:
    """Returns the rows of some photos, and how many of them the catalog names."""
    names = [field.name for field in listing_fields()]
    given = [asdict(photo.given) if photo.given else {} for photo in photos]
    rows = [{**vars(photo), **said} for photo, said in zip(photos, given, strict=True)]
    table = pa.Table.from_pylist(
        [{name: row.get(name) for name in names} for row in rows], schema=pa.schema(listing_fields())
    )
    is_given = pa.array([photo.given is not None for photo in photos], pa.bool_())
    in_catalog = 0
    if catalog is not None:
        named = pc.is_in(table["photo_id"], catalog["photo_id"])
        in_catalog = pc.sum(named).as_py() or 0
        table, is_given = join_catalog(table, catalog), pc.or_(is_given, named)
    positions = pa.array(range(first, first + table.num_rows), pa.int64())
    return pa.Table.from_arrays([positions, *table.columns, is_given], schema=listing_schema()), in_catalog
