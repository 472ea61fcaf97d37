"""Makes the thumbnail of a photo of the archives anew: pixels alone, and nothing that its file says beside them."""

from functools import partial

from foundation.archives.archive import read
from foundation.errors import InputNotFoundError
from foundation.photos.rejects import PhotoError
from foundation.photos.shared_decoders import shared_decoders
from foundation.photos.thumbnail import THUMBNAIL_SIDE, decode_thumbnail, encode_thumbnail, thumbnail_jpeg
from serving.live.held import Held
from serving.search.snapshot import Place


def thumbnail_of(held: Held, content: bytes) -> bytes:
    """Returns a JPEG of a content (32 bytes), from what the index keeps of it or else from the archive.

    Raises InputNotFoundError for one that the snapshot does not have, or that may not be shown, or whose archive gives
    it no longer; TemporaryError if its bucket does not answer.
    """
    places = _places(held, content)
    for place in places:
        stored = held.opened.stored(place)
        if stored and stored.thumbnail:
            return encode_thumbnail(decode_thumbnail(stored.thumbnail))
    made = _from_archive(held.opened.photo(places[0])["uri"])
    # An archive may take its time to give it.
    _places(held, content)
    return made


def _places(held: Held, content: bytes) -> list[Place]:
    """Returns where a content lies that may be shown now; raises InputNotFoundError if it does not, or may not."""
    held.require_fresh()
    (places,) = held.opened.places([content])
    if not places:
        raise InputNotFoundError(
            f"snapshot {held.snapshot.number} has no photo of these bytes; expected a thumbnail that an answer names"
        )
    return places


def _from_archive(uri: str) -> bytes:
    # A photo of an archive is a file of a stranger as well: it is read and decoded where that can do no harm.
    try:
        with shared_decoders() as decoders:
            return decoders.call(partial(_read_small, uri))
    except PhotoError as error:
        raise InputNotFoundError("the archive does not give this photo any more; expected it at its place") from error


def _read_small(uri: str) -> bytes:
    return thumbnail_jpeg(read(uri), max_side=THUMBNAIL_SIDE)
