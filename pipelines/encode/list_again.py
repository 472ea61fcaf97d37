"""Lists an archive as its last run listed it, so that some of its photos can be read again and all others are left."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pyarrow import parquet

from foundation.archives.archive import Archive
from foundation.archives.photos import Entry
from foundation.store.files import Store
from pipelines.encode.previous import Previous, previous_inventory

COLUMNS = ["photo_id", "uri", "size_bytes", "modified_at", "etag", "sidecar_uri", "sidecar_version"]


def list_again(uri: str, store: Store, previous: Previous) -> Archive:
    """Returns an archive that lists the photos of its last inventory, and says nothing new of any of them."""
    return Archive(uri, None, lambda: _entries(store, previous))


def _entries(store: Store, previous: Previous) -> Iterator[Entry]:
    with (
        tempfile.TemporaryDirectory(prefix="firstseen-") as folder,
        previous_inventory(store, previous, Path(folder)) as paths,
    ):
        for path in paths:
            for batch in parquet.ParquetFile(path).iter_batches():
                for row in batch.select([name for name in COLUMNS if name in batch.schema.names]).to_pylist():
                    yield Entry(**row)
