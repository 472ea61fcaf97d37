"""Tells how many photos are done, through a folder of tiny files: a local Beam run blocks until its end.

Beam's own counters come with the result, which is after the last photo.
"""

import os
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple


class Counts(NamedTuple):
    """Photos that are done: those that are usable, and those that were rejected."""

    usable: int = 0
    rejected: int = 0


class ProgressWriter:
    """Counts the photos of one piece of work in a file of its own below `directory`, if the launcher shares one."""

    def __init__(self, directory: str | None, work: int):
        self._file = None
        self._counts = Counts()
        # On another machine the launcher's folder does not exist, and nobody would read what is written.
        if directory is not None and os.path.isdir(directory):
            self._file = Path(directory, f"{work}-{uuid.uuid4().hex}").open("wb", buffering=0)  # noqa: SIM115

    def __enter__(self) -> "ProgressWriter":
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the file; the counts stay readable."""
        if self._file is not None:
            self._file.close()

    def add(self, *, usable: int = 0, rejected: int = 0) -> None:
        """Adds to the counts; one small write, so that a reader never sees half a number."""
        self._counts = Counts(self._counts.usable + usable, self._counts.rejected + rejected)
        if self._file is not None:
            # The same 25 bytes are written over, which needs no rename.
            self._file.seek(0)
            self._file.write(b"%012d %012d" % self._counts)


def read_progress(directory: str) -> dict[int, Counts]:
    """Returns how far each piece of work is; of one that was begun again, the attempt that is further."""
    found: dict[int, Counts] = {}
    for path in Path(directory).iterdir():
        pair = path.read_bytes().split()
        if len(pair) == len(Counts._fields):
            work, counts = int(path.name.partition("-")[0]), Counts(*map(int, pair))
            found[work] = max(found.get(work, counts), counts, key=sum)
    return found


def add_up(pieces: Collection[Counts]) -> Counts:
    """Returns the counts of all pieces of work."""
    return Counts(sum(one.usable for one in pieces), sum(one.rejected for one in pieces))
