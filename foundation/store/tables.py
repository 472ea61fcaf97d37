"""Opens Parquet files of a store, and names the one that is damaged with what mends it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store


@contextmanager
def open_table(store: Store, path: str) -> Iterator[parquet.ParquetFile]:
    """Opens a Parquet file; raises ArtifactRefusedError for one that is damaged, while it is read too."""
    try:
        with store.open(path) as stream, parquet.ParquetFile(stream) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error


def damaged(path: str, error: Exception) -> ArtifactRefusedError:
    """Returns the error that names a file which could not be read, why, and what mends it."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return ArtifactRefusedError(
        f"{path} is damaged ({reason}); `firstseen repair` mends what counts, `firstseen gc` removes what does not"
    )
