"""Decodes a query into what is asked of the index: its square for the encoder, its features and a picture for proof."""

from dataclasses import dataclass

import numpy as np

from foundation.errors import FirstseenError, TemporaryError
from foundation.photos import photo
from foundation.photos.metadata import PhotoMetadata
from foundation.photos.photo import Photo
from foundation.photos.query_features import CLOSE_SIDE
from foundation.store.encoders import EncoderSpec
from serving.match.evidence import QueryPhoto, Size
from serving.match.match import Outcome
from serving.match.query import Query, rejected_because

# Below this standard deviation (of 255 grey levels) a photo is one flat colour: it resembles every other flat one.
BLANK_DEVIATION = 2.0


@dataclass(frozen=True, eq=False)
class DecodedQuery:
    """A query as it is looked up: its name, its decoded photo, and what it is verified by.

    `pictured` is None where the archive keeps no local features. `is_blank` says that the photo is one flat colour, as
    far as pixels are kept to see that by, and `is_simple` that it has hardly any features.
    """

    name: str
    photo: Photo
    pictured: QueryPhoto | None = None
    is_blank: bool = False
    is_simple: bool = False

    @classmethod
    def without_pixels(
        cls,
        name: str,
        content: bytes,
        *,
        size: Size,
        pictured: QueryPhoto | None,
        is_blank: bool = False,
        is_simple: bool = False,
    ) -> "DecodedQuery":
        """Returns a query of which no square is kept for the encoder: its content (32 bytes) and its full size."""
        no_pixels = np.empty((0, 0, 3), np.uint8)
        return cls(name, Photo(no_pixels, content, *size, "", PhotoMetadata()), pictured, is_blank, is_simple)


def decode_query(query: Query | DecodedQuery, spec: EncoderSpec, *, with_features: bool) -> DecodedQuery | Outcome:
    """Reads and decodes a query by the same path as the archive's photos; one that cannot be used has its outcome.

    Raises TemporaryError if it lies where storage does not answer.
    """
    if isinstance(query, DecodedQuery):
        return query
    # Without the file's own caption and dates, which nobody asks of a query. Any other decoder, or another size, would
    # let the similarities drift away from those of the archive.
    frame_side = CLOSE_SIDE if with_features else None
    try:
        data = query.read()
        decoded = photo.decode(data, size=spec.size, channels=spec.channels, with_metadata=False, frame_side=frame_side)
    # A query of the Python API reads by a function of its own, which may open a file: an OSError ends that query alone.
    except (FirstseenError, OSError) as error:
        return rejected(query.name, error)
    is_blank = bool(decoded.pixels.std(axis=(0, 1)).max() < BLANK_DEVIATION)
    frame = decoded.frame
    pictured = None if frame is None else QueryPhoto.of(frame, width=decoded.width, height=decoded.height)
    return DecodedQuery(query.name, decoded, pictured, is_blank, pictured is not None and pictured.is_simple)


def rejected(name: str, error: Exception) -> Outcome:
    """Returns the outcome of a query that could not be read or decoded, with the reason as a word first.

    Raises a TemporaryError as it is: what storage does not give now is no answer to keep.
    """
    if isinstance(error, TemporaryError):
        raise error
    return Outcome(name, "rejected", rejected_because(error))
