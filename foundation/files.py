"""Writes local files so that nobody ever sees half of one: under another name first, then renamed."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def finished_file(path: Path) -> Iterator[Path]:
    """Yields the name to write to; the file takes the name `path` only if the block ends well.

    The other name lies in the same folder, since a rename is atomic only within one filesystem. After an
    interruption, or on a full disk, what stood at `path` before stands there still.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Waits until no other process or thread is in such a block of the folder: of two changes at once one is lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Writes a whole file at once, in the place of the one that is there; makes its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with finished_file(path) as partial:
        partial.write_bytes(data)
