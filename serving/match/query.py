"""Names a photo to look up, and says how to get its bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from serving.queries import read_query


@dataclass(frozen=True)
class Query:
    """A photo to look up: its name as the user gave it, and how to get its bytes.

    `read` is called in a thread, once; an error of the project that it raises becomes the answer.
    """

    # Not the bytes themselves: of a long list some photos are in memory at a time, and an upload needs no file.

    name: str
    read: Callable[[], bytes]

    @classmethod
    def of(cls, name: str) -> "Query":
        """Returns the query of a file, by its path or URI."""
        return cls(name, partial(read_query, name))
