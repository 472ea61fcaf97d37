"""Writes the working files of a lookup, each created once, and reads them only as they were written.

That a file is there says that its work is done. It holds some parts, each with its digest: a disk that flips a bit must
not decide what is answered.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

from foundation.errors import ArtifactRefusedError
from foundation.store.files import Store
from pipelines.lookup.names import OURS

MAGIC = b"firstseen lookup 2\n"
LENGTH_BYTES, MOST_HEADER_BYTES = 8, 2**20
# Files that are read at a time: a bucket takes as long for one as for all of them.
READERS = 8


class Part(Protocol):
    """What writes itself as one local file."""

    def write(self, path: Path) -> None:
        """Writes it."""


Read = TypeVar("Read", covariant=True)


class Kind(Protocol[Read]):
    """A class whose objects are read from one local file."""

    def read(self, path: Path) -> Read:
        """Reads what was written."""


@dataclass(frozen=True)
class Work:
    """What a file cost: the queries that it is of, and the seconds that they took."""

    queries: int
    seconds: float


@dataclass(frozen=True)
class WorkingFiles:
    """The working files of one lookup, below `directory` of a store."""

    store: Store
    directory: str

    def path(self, name: str) -> str:
        """Returns where a file lies in the store."""
        return f"{self.directory}/{name}"

    def exists(self, name: str) -> bool:
        """Returns whether the work is done that the file is of."""
        return self.store.exists(self.path(name))

    def create(self, name: str, parts: Mapping[str, Part], work: Work) -> bool:
        """Writes a file of these parts, whole or not at all; returns whether nobody did so before."""
        with tempfile.TemporaryDirectory(prefix="firstseen-") as folder:
            data = {part: _bytes_of(one, Path(folder, part)) for part, one in parts.items()}
        described = [{"name": part, "size": len(one), "sha256": _digest(one)} for part, one in data.items()]
        header = json.dumps({"parts": described, "queries": work.queries, "seconds": work.seconds}).encode()
        whole = [MAGIC, len(header).to_bytes(LENGTH_BYTES), hashlib.sha256(header).digest(), header, *data.values()]
        return self.store.create(self.path(name), b"".join(whole))

    def read(self, name: str, part: str, kind: Kind[Read]) -> Read:
        """Returns one part of a file; raises ArtifactRefusedError if it is damaged, InputNotFoundError without it."""
        path = self.path(name)
        try:
            with self.store.open(path) as file:
                data = _part_of(file, part)
            with tempfile.TemporaryDirectory(prefix="firstseen-") as folder:
                local = Path(folder, part)
                local.write_bytes(data)
                return kind.read(local)
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise ArtifactRefusedError(
                f"{path} is damaged ({error}); delete it and run the same lookup again: what it held is made anew"
            ) from error

    def work(self, name: str) -> Work:
        """Returns what a file cost; reads its head alone."""
        with self.store.open(self.path(name)) as file:
            header = _header(file)
        return Work(header["queries"], header["seconds"])

    def names(self, stage: str) -> list[str]:
        """Returns the files of a stage, each by its path from the directory; what is no file of ours is passed over."""
        return [f"{stage}/{name}" for name in self.store.files(self.path(stage)) if OURS.fullmatch(name)]

    def delete(self, names: Sequence[str]) -> None:
        """Removes files; absent ones are no error."""
        self.store.delete([self.path(name) for name in names])


def _bytes_of(part: Part, path: Path) -> bytes:
    part.write(path)
    data = path.read_bytes()
    path.unlink()
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _header(file: BinaryIO) -> dict[str, Any]:
    head = bytes(file.read(len(MAGIC) + LENGTH_BYTES + hashlib.sha256().digest_size))
    length, digest = head[len(MAGIC) :][:LENGTH_BYTES], head[len(MAGIC) + LENGTH_BYTES :]
    # A damaged length may be one that no memory holds.
    header = bytes(file.read(min(int.from_bytes(length), MOST_HEADER_BYTES)))
    if head[: len(MAGIC)] != MAGIC or hashlib.sha256(header).digest() != digest:
        raise ValueError("its head has another digest")
    return dict(json.loads(header))


def _part_of(file: BinaryIO, part: str) -> bytes:
    parts = _header(file)["parts"]
    offset = file.tell()
    for one in parts:
        if one["name"] == part:
            file.seek(offset)
            data = bytes(file.read(one["size"]))
            if _digest(data) != one["sha256"]:
                raise ValueError(f"its part {part} has another digest")
            return data
        offset += one["size"]
    raise ValueError(f"it has no part {part}")
