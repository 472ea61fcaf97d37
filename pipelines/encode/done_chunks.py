"""Tells how far a run on other machines is, by the outcomes that its workers write into the store."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from pyarrow import ArrowException

from foundation.errors import FirstseenError
from foundation.store.files import Store
from pipelines.encode.outcomes import outcome_paths, read_counts
from pipelines.runners.progress import Counts, add_up

# In a bucket a look is a listing, and a read for each chunk that is new.
LOOK_EVERY_SECONDS = 5.0
READERS = 8


class DoneChunks:
    """The chunks of an attempt at a run that are done, looked for now and then."""

    def __init__(self, store: Store, run_directory: str, attempt: str):
        self._store = store
        self._run_directory = run_directory
        self._attempt = attempt
        self._counts: dict[str, Counts] = {}
        self._looked = time.monotonic()

    def look(self, *, at_once: bool = False) -> Counts:
        """Returns the counts of the chunks that are done, as of the last look or as of now."""
        if at_once or time.monotonic() - self._looked >= LOOK_EVERY_SECONDS:
            # A listing that fails must not end the job, which may be hours into its work.
            with suppress(FirstseenError):
                self._take_up()
            self._looked = time.monotonic()
        return add_up(self._counts.values())

    def _take_up(self) -> None:
        paths = outcome_paths(self._store, self._run_directory, attempt=self._attempt)
        # In a bucket each read is a wait, and hundreds of chunks may be done between two looks.
        with ThreadPoolExecutor(READERS) as pool:
            list(pool.map(self._read, [path for path in paths if path not in self._counts]))

    def _read(self, path: str) -> None:
        # The next look tries again.
        with suppress(FirstseenError, ArrowException, OSError, LookupError, ValueError):
            self._counts[path] = read_counts(self._store, path)
