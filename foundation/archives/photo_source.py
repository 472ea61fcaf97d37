"""What every source of training photos gives: encoded bytes by number, and the class of each photo if it is known."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

# The largest photo that is read whole: what is longer is cut here, and the decoder rejects it.
MAX_READ_BYTES = 256 * 2**20 + 1


@dataclass(frozen=True)
class EncodedPhoto:
    """How to get the encoded bytes of one photo, and its class if the source tells it.

    For files the read happens in the thread that decodes.
    """

    read: Callable[[], bytes]
    label: str | None = None


@dataclass(frozen=True)
class PhotoSource:
    """The photos of one source, numbered from 0: `read(numbers)` yields those asked for, in ascending order.

    `fingerprint` changes when the source does.
    """

    name: str
    photos: int
    fingerprint: str
    read: Callable[[Sequence[int]], Iterator[EncodedPhoto]]
