"""Puts photos on the list of what must not match, by their names, and takes them off it again."""

from foundation.errors import InputNotFoundError
from foundation.photos import photo
from foundation.photos.rejects import told_of
from foundation.photos.thumbnail import THUMBNAIL_SIDE, encode_thumbnail
from foundation.store.files import Store
from foundation.store.ignored import Ignored, add_ignored, is_damaged, read_ignored, standing, undo_ignored
from serving.queries import read_query


def ignored_contents(store: Store) -> set[str]:
    """Returns the content hashes, in hex, of the photos that are ignored: reads the whole list."""
    return {one.content_sha256 for one in standing(read_ignored(store)).values()}


def ignore_photo(store: Store, name: str, *, why: str, known: set[str] | None = None) -> Ignored | None:
    """Puts a photo (path or URI) on the list, or returns None if it is on it; raises PhotoError for one of no use.

    `known` are the `ignored_contents`, and takes up that of the photo; give it to put many on the list.
    """
    # Shrunk by the decoder as the archive's photos are, and by no other way.
    with told_of(name):
        decoded = photo.decode(read_query(name), size=1, with_metadata=False, frame_side=THUMBNAIL_SIDE)
    known = ignored_contents(store) if known is None else known
    if decoded.frame is None or decoded.content_sha256.hex() in known:
        return None
    added = add_ignored(
        store,
        name=name,
        content_sha256=decoded.content_sha256,
        size=(decoded.width, decoded.height),
        thumbnail=encode_thumbnail(decoded.frame),
        why=why,
    )
    known.add(decoded.content_sha256.hex())
    return added


def stop_ignoring(store: Store, number: int, *, why: str = "") -> Ignored:
    """Takes an entry back, also one that nobody can read; raises InputNotFoundError unless it is one that counts."""
    if is_damaged(store, number):
        return undo_ignored(store, number, why=why)
    counting = standing(read_ignored(store))
    if number not in counting:
        raise InputNotFoundError(
            f"no ignored photo {number}; expected one of: {', '.join(map(str, counting)) or 'none, there is none'}"
        )
    return undo_ignored(store, number, why=why)
