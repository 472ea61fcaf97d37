"""Lists an archive into its inventory: one Parquet row per photo, in row groups that are the pieces of work."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from foundation.archives.archive import Archive
from foundation.errors import InputNotFoundError, UsageError
from foundation.store.files import Store
from foundation.store.runs import inventory_schema
from pipelines.encode.catalog import join_catalog

# One row group is one element of the pipeline: large enough to keep the model busy, small enough to spread out.
CHUNK_PHOTOS = 512
# Each join with the catalog hashes the whole catalog anew (0.6 s for a million rows): many chunks share one.
JOINED_PHOTOS = 65_536


@dataclass(frozen=True)
class Listing:
    """How many photos an archive lists, and how many of them the catalog names."""

    photos: int
    in_catalog: int


def write_inventory(
    store: Store, path: str, archive: Archive, *, catalog: pa.Table | None, chunk_photos: int = CHUNK_PHOTOS
) -> Listing:
    """Lists the archive into one Parquet file of the store, in bounded memory.

    Raises InputNotFoundError if the archive is empty, UsageError if the catalog names none of its photos: then one of
    the two is the wrong one, and every date would be missing.
    """
    with tempfile.TemporaryDirectory(prefix="firstseen-") as directory:
        # A Parquet file is finished by its footer and the store takes whole files: it grows on disk, not in memory.
        local = Path(directory, "inventory.parquet")
        listed = in_catalog = 0
        with parquet.ParquetWriter(local, inventory_schema(), compression="zstd") as writer:
            for table in _tables(archive, chunk_photos):
                listed += table.num_rows
                if catalog is not None:
                    in_catalog += pc.sum(pc.is_in(table["photo_id"], catalog["photo_id"])).as_py()
                    table = join_catalog(table, catalog)
                writer.write_table(table, row_group_size=chunk_photos)
        if listed == 0:
            raise InputNotFoundError(f"archive {archive.uri} is empty; expected at least one photo")
        if catalog is not None and in_catalog == 0:
            raise UsageError(
                f"the catalog names none of the {listed} photos of {archive.uri}; expected photo_ids of "
                f"the archive, such as {table['photo_id'][0].as_py()!r}"
            )
        store.upload(path, local)
    return Listing(listed, in_catalog)


def _tables(archive: Archive, chunk_photos: int) -> Iterator[pa.Table]:
    entries = archive.list()
    whole_chunks = max(1, JOINED_PHOTOS // chunk_photos) * chunk_photos
    while listed := list(islice(entries, whole_chunks)):
        rows = [asdict(entry) for entry in listed]
        yield pa.Table.from_pylist(rows, schema=inventory_schema())


def count_chunks(store: Store, path: str) -> int:
    """Returns the number of row groups of an inventory."""
    with store.open(path) as file:
        return parquet.read_metadata(file).num_row_groups


def read_chunk(store: Store, path: str, chunk: int) -> list[dict]:
    """Returns the rows of one row group as dicts of its columns, reading nothing but the footer and that group."""
    with store.open(path) as file:
        return parquet.ParquetFile(file).read_row_group(chunk).to_pylist()
