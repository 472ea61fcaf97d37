"""Reads and creates the files of a store, a directory that is local or in a bucket; jobs replace none."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions
from obstore.store import LocalStore, ObjectStore

from foundation.errors import InputNotFoundError, UsageError
from foundation.objects import BUCKET_SCHEMES, buffered, open_bucket, retried, translated

READ_CHUNK_BYTES = 4 * 2**20
DELETED_AT_A_TIME = 1_000


@dataclass(frozen=True)
class StoredFile:
    """A file of a store: its path, its size, and when it was written."""

    path: str
    size_bytes: int
    modified_at: datetime


class Store:
    """A directory of artifacts at `uri` (a local path, `file://`, `gs://` or `s3://`); pickles by its address.

    Raises InputNotFoundError if a local directory is missing and `create` is false, UsageError on another scheme,
    TemporaryError when a write meets a full disk.
    """

    def __init__(self, uri: str | Path, *, create: bool = False):
        self._name(uri)
        if create and self.local_root:
            _make_local(self.local_root)
        _ = self._backend

    def _name(self, uri: str | Path) -> None:
        self.uri = str(uri)
        self.local_root = local_root(self.uri)

    @cached_property
    def _backend(self) -> ObjectStore:
        if self.local_root:
            return _open_local(self.local_root)
        with translated(f"open store {self.uri}"):
            return open_bucket(self.uri)

    def __reduce__(self):
        """Workers open the store by its address with its first use: no connection and no credential travels."""
        return _travelled, (str(self.local_root or self.uri),)

    def is_there(self) -> bool:
        """Returns whether a local store is there; on another machine than that which opened it, it may not be."""
        return self.local_root is None or self.local_root.is_dir()

    def read(self, path: str) -> bytes:
        """Returns one file whole; raises InputNotFoundError if it does not exist."""
        with translated(f"read {path} in store {self.uri}"):
            return bytes(obstore.get(self._backend, path).bytes())

    def create(self, path: str, data: bytes) -> bool:
        """Writes `path` at once and only if it does not exist; returns whether this call created it.

        In a bucket it counts as created, too, if the very same bytes are there.
        """
        with translated(f"write {path} in store {self.uri}"):
            try:
                # Multipart uploads have no precondition: a conditional create is one request.
                retried(lambda: obstore.put(self._backend, path, data, mode="create", use_multipart=False))
            except exceptions.AlreadyExistsError:
                # A bucket's answer may be lost on its way: asked again, it finds what the first request made.
                return self.local_root is None and self.read(path) == data
            return True

    def upload(self, path: str, source: Path) -> None:
        """Copies a local file into the store in bounded memory, under a name nobody else uses."""
        with translated(f"write {path} in store {self.uri}"):
            try:
                retried(lambda: obstore.put(self._backend, path, source))
            except FileNotFoundError:
                # The parts of a large file are gone once they are one, also if the answer that says so was lost.
                if self.local_root or obstore.head(self._backend, path)["size"] != source.stat().st_size:
                    raise

    def delete(self, paths: list[str]) -> None:
        """Deletes files that no description lists, in any order; absent ones are no error."""
        if self.local_root:
            for path in paths:
                # The names of uploads that were killed are none to obstore.
                with translated(f"delete {path} in store {self.uri}"):
                    if ".." in Path(path).parts:
                        raise ValueError("it lies outside of the store")
                    (self.local_root / path).unlink(missing_ok=True)
            return
        for start in range(0, len(paths), DELETED_AT_A_TIME):
            some = paths[start : start + DELETED_AT_A_TIME]
            with translated(f"delete {some[0]} and others in store {self.uri}"):
                try:
                    # S3 takes a thousand with one request.
                    retried(partial(obstore.delete, self._backend, some))
                except FileNotFoundError:
                    # Where each file takes a request of its own, the first that is absent is the end of it.
                    for path in some:
                        with suppress(FileNotFoundError):
                            obstore.delete(self._backend, path)

    def open(self, path: str) -> BinaryIO:
        """Opens one file for random reads, so that Parquet footers and single row groups can be fetched."""
        with translated(f"read {path} in store {self.uri}"):
            if self.local_root:
                return (self.local_root / path).open("rb")
            size_bytes = obstore.head(self._backend, path)["size"]
            return buffered(partial(self._read_range, path), size_bytes, buffer_bytes=READ_CHUNK_BYTES)

    def _read_range(self, path: str, offset: int, length: int) -> bytes:
        with translated(f"read {path} in store {self.uri}"):
            return bytes(obstore.get_range(self._backend, path, start=offset, length=length))

    def directories(self, prefix: str) -> list[str]:
        """Returns the names of the directories directly below `prefix`, sorted."""
        # One level is asked for: a plain listing of a bucket would walk through every shard of every run.
        with translated(f"list {prefix} in store {self.uri}"):
            found = retried(lambda: obstore.list_with_delimiter(self._backend, prefix)["common_prefixes"])
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def files(self, prefix: str) -> list[str]:
        """Returns the names of the files directly below `prefix`, sorted."""
        with translated(f"list {prefix} in store {self.uri}"):
            found = retried(lambda: obstore.list_with_delimiter(self._backend, prefix)["objects"])
        return sorted(item["path"].rsplit("/", 1)[-1] for item in found)

    def walk(self, prefix: str = "") -> list[StoredFile]:
        """Returns every file of the store, or of a directory of it, sorted by path: some 200 bytes each."""
        with translated(f"list {prefix or 'all'} in store {self.uri}"):
            found = _walk_local(self.local_root, prefix) if self.local_root else _walk_bucket(self._backend, prefix)
            return sorted(found, key=lambda file: file.path)

    def empty_directories(self, prefix: str = "") -> dict[str, datetime]:
        """Returns the directories below another one that hold no file, nor any below them, and when each was changed.

        In a bucket there are no directories.
        """
        if not self.local_root:
            return {}
        with translated(f"list {prefix or 'all'} in store {self.uri}"):
            folders = [Path(folder) for folder, _, _ in os.walk(self.local_root / prefix)][1:]
            full = {folder for file in self.walk(prefix) for folder in (self.local_root / file.path).parents}
            return {
                folder.relative_to(self.local_root).as_posix(): _modified_at(folder.stat())
                for folder in folders
                if folder not in full
            }

    def remove_directories(self, paths: Iterable[str]) -> None:
        """Removes those of some directories that are empty, the deepest first."""
        if self.local_root:
            for path in sorted(paths, key=len, reverse=True):
                # Somebody may be writing into it.
                with suppress(OSError):
                    (self.local_root / path).rmdir()

    def sizes(self, prefix: str) -> dict[str, int]:
        """Returns the size in bytes of every file below `prefix`, by its path from there; all of "" are the store's."""
        with translated(f"list {prefix} in store {self.uri}"):
            listed = retried(lambda: list(chain.from_iterable(obstore.list(self._backend, prefix or None))))
        return {item["path"].removeprefix(prefix).lstrip("/"): item["size"] for item in listed}

    def numbers(self, prefix: str) -> list[int]:
        """Returns the numbers of the files `NUMBER.json` directly below `prefix`, ascending."""
        stems = [name.removesuffix(".json") for name in self.files(prefix) if name.endswith(".json")]
        # 007.json and ٣.json are digits too, but no number that this program writes.
        return sorted(int(stem) for stem in stems if stem.isdecimal() and str(int(stem)) == stem)

    def exists(self, path: str) -> bool:
        """Returns whether the file is there."""
        with translated(f"read {path} in store {self.uri}"):
            try:
                obstore.head(self._backend, path)
            except FileNotFoundError:
                return False
            return True

    def measure(self, path: str) -> tuple[int, str]:
        """Returns (size in bytes, SHA-256 in hex) of one file, read in bounded memory."""
        digest, size = hashlib.sha256(), 0
        with translated(f"read {path} in store {self.uri}"), self.open(path) as file:
            while chunk := bytes(file.read(READ_CHUNK_BYTES)):
                digest.update(chunk)
                size += len(chunk)
        return size, digest.hexdigest()

    @contextmanager
    def local_copy(self, prefix: str, names: list[str]) -> Iterator[Path]:
        """Yields a local directory with these files of `prefix`: the store's own, or a temporary download."""
        # TensorFlow, ScaNN and NumPy's memory maps open files by their path, which a bucket cannot give them.
        if self.local_root:
            yield self.local_root / prefix
            return
        with tempfile.TemporaryDirectory(prefix="firstseen-") as directory:
            for name in names:
                self._download(f"{prefix}/{name}", Path(directory, name))
            yield Path(directory)

    def _download(self, path: str, target: Path) -> None:
        with translated(f"copy {path} of store {self.uri} to {target}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            with self.open(path) as source, target.open("wb") as copy:
                while chunk := bytes(source.read(READ_CHUNK_BYTES)):
                    copy.write(chunk)


def _walk_local(root: Path, prefix: str) -> Iterator[StoredFile]:
    # obstore passes over the names of uploads that were killed, and these take room.
    for folder, _, names in os.walk(root / prefix):
        for name in names:
            path = Path(folder, name)
            # Another process may delete files at the same time.
            with suppress(FileNotFoundError):
                found = path.lstat()
                yield StoredFile(path.relative_to(root).as_posix(), found.st_size, _modified_at(found))


def _walk_bucket(backend: ObjectStore, prefix: str) -> Iterator[StoredFile]:
    for one in retried(lambda: list(chain.from_iterable(obstore.list(backend, prefix or None)))):
        yield StoredFile(one["path"], one["size"], one["last_modified"])


def _modified_at(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, timezone.utc)


def local_root(uri: str) -> Path | None:
    """Returns the directory that a store's address means, or None for a bucket; raises UsageError on other schemes."""
    scheme = urlsplit(uri).scheme if "://" in uri else "file"
    if scheme in BUCKET_SCHEMES:
        return None
    if scheme != "file":
        raise UsageError(f"store {uri!r} has the scheme {scheme!r}; expected a local directory, gs:// or s3://")
    path = uri
    if uri.startswith("file://"):
        path = unquote(uri.removeprefix("file://").removeprefix("localhost"))
        if not path.startswith("/"):
            raise UsageError(f"store {uri!r} has no absolute path; expected file:///DIRECTORY, or a plain directory")
    return Path(path).expanduser().absolute()


def _travelled(address: str) -> Store:
    """Returns a store that is not looked at yet: a worker that lacks it can say so in its own way."""
    store = Store.__new__(Store)
    store._name(address)
    return store


def _refuse_file(root: Path) -> None:
    # Otherwise who creates it would be told that it exists, and who reads it, to create it.
    if root.exists() and not root.is_dir():
        raise InputNotFoundError(f"store {root} is a file; expected a directory: check the name")


def _make_local(root: Path) -> None:
    _refuse_file(root)
    with translated(f"open store {root}"):
        LocalStore(root, mkdir=True)
    if not os.access(root, os.W_OK):
        # The user learns of it here, before a training of hours, and not from the write that follows it.
        raise InputNotFoundError(f"cannot write to the store {root}: permission denied; check its access rights")


def _open_local(root: Path) -> LocalStore:
    _refuse_file(root)
    if not root.is_dir():
        raise InputNotFoundError(
            f"no store at {root}: expected a directory; `firstseen encode ARCHIVE --store {root}` makes one"
        )
    with translated(f"open store {root}"):
        return LocalStore(root)
