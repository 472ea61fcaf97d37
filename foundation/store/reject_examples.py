"""Reads one example of each reason for which a run rejected photos, from no more of its files than it takes."""

from typing import NamedTuple

from foundation.errors import FirstseenError
from foundation.store.files import Store
from foundation.store.runs import Run

FILES_READ = 4
# Files of rejects begin so; up to version 2 a run had one for each piece of work.
REJECTS = "rejects"


class Example(NamedTuple):
    """One photo that could not be used, and why."""

    photo_id: str
    detail: str


def read_examples(store: Store, run: Run) -> dict[str, Example]:
    """Returns an example by reason, of the first rows of at most four files: there may be none of a rare reason.

    A file that is damaged or missing has no example: it is `verify` that finds fault with it.
    """
    found: dict[str, Example] = {}
    for name in [name for name in sorted(run.files) if name.startswith(REJECTS)][:FILES_READ]:
        if found.keys() >= run.accounting.rejected.keys():
            break
        for reason, example in _read_first_rows(store, f"{run.directory}/{name}").items():
            found.setdefault(reason, example)
    return found


def _read_first_rows(store: Store, path: str) -> dict[str, Example]:
    # Most stores are asked for their status without any reject, and are spared the library.
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with store.open(path) as file:
            rows = parquet.ParquetFile(file).read_row_group(0, ["reason", "photo_id", "detail"]).to_pylist()
    except (FirstseenError, OSError, pa.ArrowException):
        return {}
    # The first row of a reason is its example.
    return {row["reason"]: Example(row["photo_id"], row["detail"]) for row in reversed(rows)}
