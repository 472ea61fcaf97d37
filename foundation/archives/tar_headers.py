"""Reads the headers of tar files that nobody has checked: within bounds, and to the end or not at all."""

import tarfile
from collections.abc import Iterator
from typing import BinaryIO, cast

# The index of a shard is held in memory: a million members take some 350 MB.
MAX_MEMBERS = 1_000_000
# A long name or a set of PAX records is read whole; no file system has names of a megabyte.
MAX_HEADER_BYTES = 2**20


def members_of(file: BinaryIO) -> Iterator[tarfile.TarInfo]:
    """Yields the members of an uncompressed tar; raises TarError, ValueError or OSError where it is damaged or cut off.

    Nothing of their contents is read.
    """
    # `r:` is a plain tar: in a compressed one, no photo could be read without all that lies before it.
    with tarfile.open(fileobj=cast(BinaryIO, _Bounded(file)), mode="r:") as tar:
        count = 0
        while (member := tar.next()) is not None:
            # The library keeps every member that it has seen, with all of its records.
            tar.members = []  # type: ignore[attr-defined]
            # A size below zero leads back to a header that was read before, for ever.
            if member.size < 0 or tar.offset <= member.offset:
                raise ValueError(f"{member.name!r} has the size {member.size}")
            count += 1
            if count > MAX_MEMBERS:
                raise ValueError(f"it has more than {MAX_MEMBERS:,} members: split it")
            yield member
        _require_end(file, tar.offset)


class _Bounded:
    """A file that refuses to read as much at once as only a forged header asks for."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.tell, self.seek = file.tell, file.seek

    def read(self, length: int) -> bytes:
        if not 0 <= length <= MAX_HEADER_BYTES:
            raise ValueError(f"a header of {length:,} bytes; expected at most {MAX_HEADER_BYTES:,}")
        return self._file.read(length)


def _require_end(file: BinaryIO, offset: int) -> None:
    """Raises ValueError unless the last member is followed by the block of zeros that ends a tar.

    The library takes a header that it cannot read for the end, and would leave the rest of the photos out silently.
    """
    file.seek(offset)
    block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or any(block):
        raise ValueError(f"cut off or damaged at byte {offset:,}")
