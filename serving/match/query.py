"""Names a photo to look up, and says how to get its bytes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from pathlib import Path

from foundation.archives.archive import read_photos
from foundation.archives.uris import split
from serving.queries import read_query

# Photos of one file of many that are asked for together: their names are in memory at a time.
ASKED_TOGETHER = 4_096


@dataclass(frozen=True)
class Query:
    """A photo to look up: its name as the user gave it, and how to get its bytes.

    `read` is called in a thread, once; an error of the project that it raises becomes the answer, but for a
    TemporaryError, which ends the lookup: the photo may well be there.
    """

    # Not the bytes themselves: of a long list some photos are in memory at a time, and an upload needs no file.

    name: str
    read: Callable[[], bytes]

    @classmethod
    def of(cls, name: str) -> "Query":
        """Returns the query of a file, by its path or URI."""
        return cls(name, partial(read_query, name))


def open_queries(names: Iterable[str], folder: Path | None = None) -> Iterator[Query]:
    """Yields the queries of these names, in their order; relative paths begin in `folder`, see `read_query`.

    Rows of a Parquet file that follow each other are read in one pass, as the queries are taken: row by row, each of
    them would read all those before it.
    """
    for container, group in groupby(names, key=_container):
        if not container:
            yield from (Query(name, partial(read_query, name, folder)) for name in group)
        while container and (some := list(islice(group, ASKED_TOGETHER))):
            yield from (Query(name, photo.read) for name, photo in zip(some, read_photos(some), strict=True))


def _container(name: str) -> str:
    """Returns the URI of the file of many that a photo lies in; nothing for a photo in a file of its own."""
    container, part = split(name)
    return container if part else ""


def rejected_because(error: Exception) -> str:
    """Returns the reason of a query that cannot be used: the word under which it is counted, and what happened."""
    return f"{getattr(error, 'reason', 'unreadable')}: {error}"
