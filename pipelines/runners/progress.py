"""Tells how many photos are done, through a folder of tiny files: a local Beam run blocks until its end.

Beam's own counters come with the result, which is after the last photo.
"""

import os
import uuid
from pathlib import Path


class ProgressWriter:
    """Counts photos in a file of its own below `directory`; does nothing where the launcher shares no directory."""

    def __init__(self, directory: str | None):
        self._file = None
        self._embedded = self._rejected = 0
        # On another machine the launcher's folder does not exist, and nobody would read what is written.
        if directory is not None and os.path.isdir(directory):
            self._file = Path(directory, uuid.uuid4().hex).open("wb", buffering=0)  # noqa: SIM115 (open until `close`)

    def add(self, *, embedded: int = 0, rejected: int = 0) -> None:
        """Adds to the counts; one small write, so that a reader never sees half a number."""
        self._embedded += embedded
        self._rejected += rejected
        if self._file is not None:
            # The same 25 bytes are written over, which needs no rename; the counts of a retried bundle stay in, so that
            # progress may run ahead of the truth. The accounting of the run does not come from here.
            self._file.seek(0)
            self._file.write(b"%012d %012d" % (self._embedded, self._rejected))

    def close(self) -> None:
        """Closes the file; the counts stay readable."""
        if self._file is not None:
            self._file.close()


def read_progress(directory: str) -> tuple[int, int]:
    """Returns (embedded, rejected), added up over all workers."""
    counts = [path.read_bytes().split() for path in Path(directory).iterdir()]
    pairs = [(int(pair[0]), int(pair[1])) for pair in counts if len(pair) == 2]
    return sum(embedded for embedded, _ in pairs), sum(rejected for _, rejected in pairs)
