"""Lists archives that are not looked at: as the last run did, to read some photos again, or as if they were empty."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pyarrow import parquet

from foundation.archives.archive import Archive
from foundation.archives.photos import Entry
from foundation.errors import InputNotFoundError
from foundation.store.files import Store
from foundation.store.snapshots import Snapshot
from pipelines.encode.previous import Previous, previous_inventory

COLUMNS = ["photo_id", "uri", "size_bytes", "modified_at", "etag", "sidecar_uri", "sidecar_version"]


def require_known(uri: str, store: Store, previous: Previous, live: Snapshot | None) -> None:
    """Raises InputNotFoundError if no run is of an archive that is to be taken out."""
    if not previous.runs:
        known = ", ".join(live.archives) if live else "none"
        raise InputNotFoundError(f"store {store.uri} knows no archive {uri}; expected one of those it knows: {known}")


def list_again(uri: str, store: Store, previous: Previous) -> Archive:
    """Returns an archive that lists the photos of its last inventory, and says nothing new of any of them."""
    return Archive(uri, None, lambda: _entries(store, previous))


def list_nothing(uri: str) -> Archive:
    """Returns an archive that lists no photo, whatever there is."""
    return Archive(uri, None, lambda: iter(()), may_be_empty=True)


def _entries(store: Store, previous: Previous) -> Iterator[Entry]:
    with (
        tempfile.TemporaryDirectory(prefix="firstseen-") as folder,
        previous_inventory(store, previous, Path(folder)) as paths,
    ):
        # The second file, after runs of an older version, says of contents alone and lists no photo.
        for path in paths[:1]:
            for batch in parquet.ParquetFile(path).iter_batches():
                for row in batch.select([name for name in COLUMNS if name in batch.schema.names]).to_pylist():
                    yield Entry(**row)
