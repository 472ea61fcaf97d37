"""Turns a query into what the index is asked for; today one view: the whole frame, as the encoder sees photos."""

from dataclasses import dataclass

from foundation.errors import FirstseenError
from foundation.photos import photo
from foundation.photos.photo import Photo
from foundation.store.encoders import EncoderSpec
from serving.match.query import Query

# Below this standard deviation (of 255 grey levels) a photo is one flat colour: it resembles every other flat one.
BLANK_DEVIATION = 2.0


@dataclass(frozen=True, eq=False)
class View:
    """A query as it is looked up: its decoded photo, or the reason why it cannot be used."""

    query: Query
    photo: Photo | None
    rejection: str | None = None

    @property
    def is_blank(self) -> bool:
        """Whether the photo shows nothing that could tell it from another."""
        return self.photo is not None and self.photo.pixels.std(axis=(0, 1)).max() < BLANK_DEVIATION


def view(query: Query, spec: EncoderSpec, *, frame_side: int | None = None) -> View:
    """Reads and decodes a query by the same path as the archive's photos; what cannot be used is a view too.

    `frame_side` is that of `photo.decode`, for archives whose photos were decoded with a frame.
    """
    # Without the file's own caption and dates, which nobody asks of a query. Any other decoder, or another size, would
    # let the similarities drift away from those of the archive.
    try:
        data = query.read()
        decoded = photo.decode(data, size=spec.size, channels=spec.channels, with_metadata=False, frame_side=frame_side)
    # A query of the Python API reads by a function of its own, which may open a file: an OSError ends that query alone.
    except (FirstseenError, OSError) as error:
        return View(query, None, f"{getattr(error, 'reason', 'unreadable')}: {error}")
    return View(query, decoded)
