"""Decodes a query into what is asked of the index: its square for the encoder, its features and a picture for proof."""

from dataclasses import dataclass

from foundation.errors import FirstseenError
from foundation.photos import photo
from foundation.photos.photo import Photo
from foundation.photos.query_features import CLOSE_SIDE
from foundation.store.encoders import EncoderSpec
from serving.match.evidence import QueryPhoto
from serving.match.match import Outcome
from serving.match.query import Query

# Below this standard deviation (of 255 grey levels) a photo is one flat colour: it resembles every other flat one.
BLANK_DEVIATION = 2.0


@dataclass(frozen=True, eq=False)
class DecodedQuery:
    """A query as it is looked up: its name, its decoded photo, and what it is verified by.

    `pictured` is None where the archive keeps no local features.
    """

    name: str
    photo: Photo
    pictured: QueryPhoto | None = None

    @property
    def is_blank(self) -> bool:
        """Whether the photo shows nothing that could tell it from another."""
        # Of a watched query that keeps no pixels nobody can say so.
        return self.photo.pixels.size > 0 and self.photo.pixels.std(axis=(0, 1)).max() < BLANK_DEVIATION


def decode_query(query: Query | DecodedQuery, spec: EncoderSpec, *, with_features: bool) -> DecodedQuery | Outcome:
    """Reads and decodes a query by the same path as the archive's photos; one that cannot be used has its outcome."""
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
        return Outcome(query.name, "rejected", f"{getattr(error, 'reason', 'unreadable')}: {error}")
    if decoded.frame is None:
        return DecodedQuery(query.name, decoded)
    return DecodedQuery(query.name, decoded, QueryPhoto.of(decoded.frame, width=decoded.width, height=decoded.height))
