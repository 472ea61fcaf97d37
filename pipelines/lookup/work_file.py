"""Writes the list of queries as a Parquet file, a row group for each chunk, and reads it chunk by chunk."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyarrow import parquet

from foundation.archives import places
from foundation.archives.photos import File
from foundation.archives.uris import is_in_bucket, split
from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store.files import READ_CHUNK_BYTES, Store
from serving.queries import Listed

WORK_FILE = "queries.parquet"
# A bucket takes some 20 ms to tell the state of an object: of a million names in a list, ten minutes with so many
# requests at a time, where one after the other would take hours. Of a shard whose photos are listed it is asked once.
REQUESTS, HELD_FILES = 32, 64
SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64()),
        pa.field("modified_at", pa.timestamp("us", "UTC")),
        pa.field("etag", pa.string()),
    ]
)


class Written(NamedTuple):
    """A list of queries on this machine: how many there are, and the digest (hex) of the file."""

    queries: int
    digest: str


def write_queries(
    path: Path, listed: Iterable[Listed], *, per_chunk: int, on_listed: Callable[[int], None] = lambda listed: None
) -> Written:
    """Writes the queries in bounded memory; `on_listed` is told how many there are so far.

    Raises TemporaryError if storage that some lie in does not answer.
    """
    queries, left = 0, iter(listed)
    measure = partial(_measured, lru_cache(HELD_FILES)(places.look_up))
    with parquet.ParquetWriter(path, SCHEMA, compression="zstd") as writer, ThreadPoolExecutor(REQUESTS) as pool:
        while some := list(islice(left, per_chunk)):
            in_buckets = any(is_in_bucket(one.name) for one in some)
            rows = pool.map(measure, some) if in_buckets else map(measure, some)
            writer.write_table(pa.Table.from_pylist([one._asdict() for one in rows], schema=SCHEMA))
            queries += len(some)
            on_listed(queries)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(READ_CHUNK_BYTES):
            digest.update(part)
    return Written(queries, digest.hexdigest())


def _measured(look_up: Callable[[str], File], one: Listed) -> Listed:
    """Returns a query with size and version of its file, where the listing did not tell them.

    A photo that takes the place of another between two attempts would otherwise get the answer of that one.
    """
    if one.size_bytes is not None or one.etag is not None:
        return one
    try:
        found = look_up(split(one.name)[0])
    except InputNotFoundError:  # Its answer will say that it cannot be read.
        return one
    return one._replace(size_bytes=found.size_bytes, modified_at=found.modified_at, etag=found.version)


def read_names(store: Store, path: str, sha256: str, chunk: int) -> list[str]:
    """Returns the names of the queries of a chunk; raises ArtifactRefusedError if the file has another digest (hex)."""
    with _opened(store, path, sha256) as file:
        return list(file.read_row_group(chunk, ["name"])["name"].to_pylist())


def read_all_names(store: Store, path: str, sha256: str) -> Iterator[list[str]]:
    """Yields the names of the queries, chunk by chunk; raises ArtifactRefusedError as `read_names` does."""
    with _opened(store, path, sha256) as file:
        for chunk in range(file.num_row_groups):
            yield file.read_row_group(chunk, ["name"])["name"].to_pylist()


@contextmanager
def _opened(store: Store, path: str, sha256: str) -> Iterator[parquet.ParquetFile]:
    try:
        metadata = _footer(store.uri, path, sha256)
        with store.open(path) as stream, parquet.ParquetFile(stream, metadata=metadata) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


# The footer of a million queries takes 3 MB: a worker reads it once, and not for each of its chunks.
@lru_cache(maxsize=1)
def _footer(store_uri: str, path: str, sha256: str) -> parquet.FileMetaData:
    store = Store(store_uri)
    found = store.measure(path)[1]
    if found != sha256:
        raise _damaged(path, f"its digest is {found[:12]}…, expected {sha256[:12]}…")
    with store.open(path) as file:
        return parquet.read_metadata(file)


def _damaged(path: str, why: object) -> ArtifactRefusedError:
    reason = (str(why).splitlines() or [type(why).__name__])[0]
    return ArtifactRefusedError(f"{path} is damaged ({reason}); delete it and run the same lookup again")
