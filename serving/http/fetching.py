"""Reads photos that queries name by their URI: from places and hosts that the service was started to read from."""

import os
import stat
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from foundation.archives import buckets
from foundation.archives.uris import BUCKET_SCHEMES, SCHEME, bucket_and_key, path_of
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos.rejects import PhotoTooLargeError
from serving.http.bodies import Room
from serving.http.refusals import UnreachableError, UriRefusedError
from serving.http.web import SCHEMES, Web

CHUNK_BYTES = 1 << 20


class Allowance:
    """How many bytes the photos of one request may still have together, and the room that they are kept in."""

    def __init__(self, most_bytes: int, room: Room):
        self._most_bytes, self._room = most_bytes, room
        self.taken_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Counts bytes; raises PhotoTooLargeError once there are too many, a Problem if there is no room for them."""
        # Threads of one request may each count a chunk twice or not: the bound is then wrong by a chunk.
        if self.taken_bytes + size_bytes > self._most_bytes:
            raise PhotoTooLargeError(
                f"the photos of the request have more than {self._most_bytes:,} bytes together; expected fewer: ask in "
                "several requests"
            )
        self._room.take(size_bytes)
        self.taken_bytes += size_bytes


class Fetcher:
    """Reads from below prefixes (folders of this machine or `file://`, `s3://`, `gs://`), and from hosts by http(s).

    Raises UsageError for a prefix of another kind, or a folder that is not there.
    """

    def __init__(self, prefixes: Sequence[str], web: Web):
        self._folders = [_folder(one) for one in prefixes if not one.startswith(BUCKET_SCHEMES)]
        self._buckets = [_bucket(one) for one in prefixes if one.startswith(BUCKET_SCHEMES)]
        self._web = web

    def fetch(self, uri: str, allowance: Allowance) -> bytes:
        """Returns the bytes of a photo.

        Raises UriRefusedError, UnreachableError or PhotoTooLargeError; TemporaryError if a bucket does not answer.
        """
        with closing(self._chunks(uri)) as chunks:
            read = []
            for chunk in chunks:
                allowance.take(len(chunk))
                read.append(chunk)
        return b"".join(read)

    def _chunks(self, uri: str) -> Generator[bytes, None, None]:
        scheme = uri.partition(":")[0]
        if "#" in uri:
            raise UriRefusedError("the URI names a part of a file; expected a file that is one photo")
        if scheme in SCHEMES:
            return self._web.read(uri)
        if uri.startswith(SCHEME):
            return _of_file(self._local(uri))
        if uri.startswith(BUCKET_SCHEMES):
            return self._of_bucket(uri)
        raise UriRefusedError(f"the scheme {scheme[:20]!r} is not read; expected file, s3, gs, https or http")

    def _local(self, uri: str) -> Path:
        """Returns the file below a folder that is allowed, all links resolved; what is elsewhere is not looked at."""
        try:
            path = Path(os.path.realpath(path_of(uri)))
        except (OSError, ValueError) as error:
            raise _not_below() from error
        if not path_of(uri).is_absolute() or not any(path.is_relative_to(folder) for folder in self._folders):
            raise _not_below()
        return path

    def _of_bucket(self, uri: str) -> Generator[bytes, None, None]:
        bucket, key = bucket_and_key(uri)
        is_below = any(bucket == one and f"{key}/".startswith(prefix) for one, prefix in self._buckets)
        if not is_below or not key or any(part in ("", ".", "..") for part in key.split("/")):
            raise _not_below()
        try:
            file = buckets.look_up(uri)
            for start in range(0, file.size_bytes, CHUNK_BYTES):
                yield buckets.read_range(file, start, min(CHUNK_BYTES, file.size_bytes - start))
        except InputNotFoundError as error:
            raise UnreachableError("the bucket gave no such photo; expected one that is there") from error


def _of_file(path: Path) -> Generator[bytes, None, None]:
    try:
        # A pipe would be waited for; a link that took the file's place since it was resolved is not followed.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreachableError("the URI names no file; expected a photo")
            # A folder of the path may have become a link in the same moment, which Linux tells of an open file.
            if Path("/proc/self/fd").exists() and os.readlink(f"/proc/self/fd/{descriptor}") != str(path):
                raise _not_below()
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise UnreachableError("the file cannot be read; expected one that is there") from error


def _folder(prefix: str) -> Path:
    path = path_of(prefix)
    if "://" in prefix and not prefix.startswith(SCHEME):
        raise UsageError(f"--allow-uri is {prefix!r}; expected a folder, file://…, s3://… or gs://…")
    if not path.is_dir():
        raise UsageError(f"--allow-uri is {prefix!r}, which is no folder here; expected one")
    return Path(os.path.realpath(path))


def _bucket(prefix: str) -> tuple[str, str]:
    bucket, key = bucket_and_key(prefix)
    return bucket, f"{key.rstrip('/')}/" if key.rstrip("/") else ""


def _not_below() -> UriRefusedError:
    return UriRefusedError("the place is not below one that is allowed; expected a URI below those of --allow-uri")
