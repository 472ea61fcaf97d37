"""CONTRACT: ignored photos, the append-only list of logos, placards and test cards that must not match.

They lie beside the snapshots, as retractions do, and count at once on every snapshot. Of each there is a thumbnail, by
which it is recognised in queries; it lies under the digest of its bytes, so that two entries may share it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from foundation.errors import ArtifactRefusedError, FirstseenError
from foundation.store import artifact
from foundation.store.artifact import FileRecord, Timestamp, digest_of
from foundation.store.files import Store
from foundation.store.numbered import add_entry, is_unreadable, read_entries

IGNORED = "ignored"


@dataclass(frozen=True, kw_only=True)
class IgnoredPhoto:
    """One photo that must not match: its name as it was given, its content, its full size, and its thumbnail.

    The thumbnail is an upright JPEG of at most 256 pixels a side. Features are not kept: they are extracted from it
    in some milliseconds, by the rule of the program that asks.
    """

    name: str
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    thumbnail: FileRecord


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """One entry of the list: a photo to ignore, since when, and why; or which entry is taken back (`undoes`)."""

    __pydantic_config__: ClassVar = artifact.CONTRACT

    number: int
    created_at: Timestamp
    why: str
    photo: IgnoredPhoto | None
    undoes: int | None = None
    contract_version: int = 1


def thumbnail_path(photo: IgnoredPhoto) -> str:
    """Returns the path of an ignored photo's thumbnail in the store."""
    return f"{IGNORED}/{photo.thumbnail.sha256}.jpg"


def read_ignored(store: Store, *, after: int = 0) -> list[Ignored]:
    """Returns the entries with higher numbers than `after`, oldest first.

    Raises ArtifactRefusedError for one that is damaged or missing.
    """
    return read_entries(store, IGNORED, Ignored, after=after, give_up="firstseen ignore remove {number}")


def is_damaged(store: Store, number: int) -> bool:
    """Returns whether nobody can read what the entry of this number says."""
    return is_unreadable(store, IGNORED, number, Ignored)


def standing(entries: Sequence[Ignored]) -> dict[int, IgnoredPhoto]:
    """Returns the photos that a whole list ignores, by the number of their entry: those that none of it undoes."""
    undone = {one.undoes for one in entries}
    return {one.number: one.photo for one in entries if one.photo and one.number not in undone}


def read_thumbnail(store: Store, number: int, photo: IgnoredPhoto) -> bytes:
    """Returns the thumbnail of an entry's photo; raises ArtifactRefusedError if it is missing or damaged."""
    path = thumbnail_path(photo)
    try:
        found = store.read(path)
        problem = "" if digest_of(found) == photo.thumbnail.sha256 else "is damaged"
    except FirstseenError as error:
        problem = f"cannot be read ({error})"
    if problem:
        raise ArtifactRefusedError(
            f"{path}, by which {photo.name} is ignored, {problem}; restore it from a copy, or end that with "
            f"`firstseen ignore remove {number}`"
        )
    return found


def add_ignored(
    store: Store, *, name: str, content_sha256: bytes, size: tuple[int, int], thumbnail: bytes, why: str
) -> Ignored:
    """Puts a photo on the list, by its thumbnail, a JPEG, and its width and height."""
    photo = IgnoredPhoto(
        name=name,
        content_sha256=content_sha256.hex(),
        width=size[0],
        height=size[1],
        thumbnail=FileRecord(len(thumbnail), digest_of(thumbnail)),
    )
    # First the bytes, then the entry that names them: whoever reads the entry finds them.
    store.create(thumbnail_path(photo), thumbnail)
    return _append(store, photo=photo, why=why)


def undo_ignored(store: Store, number: int, *, why: str = "") -> Ignored:
    """Takes an entry back, by one more entry."""
    return _append(store, photo=None, why=why, undoes=number)


def _append(store: Store, *, photo: IgnoredPhoto | None, why: str, undoes: int | None = None) -> Ignored:
    return add_entry(
        store,
        IGNORED,
        lambda number: Ignored(number=number, created_at=artifact.now(), why=why, photo=photo, undoes=undoes),
    )
