"""Says what candidates ask of a snapshot: the same of one that is open, and of what was gathered of one."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from foundation.photos.compressed_features import CompressedFeatures
from foundation.store.encoders import EncoderSpec
from foundation.store.occurrences import Occurrence
from serving.search.local_index import Stored
from serving.search.snapshot import Place, Voted


class SearchedSnapshot(Protocol):
    """What candidates are found in and compared with; see `OpenSnapshot`, whose methods these are."""

    @property
    def spec(self) -> EncoderSpec:
        """The encoder of its vectors."""

    @property
    def has_local_features(self) -> bool:
        """Whether any of its segments holds local features."""

    def voted(self, views: Sequence[CompressedFeatures], k: int) -> list[Voted]:
        """Returns the k photos with the most votes of a query's features."""

    def stored(self, place: Place) -> Stored | None:
        """Returns what is kept of a photo to verify it with, if anything is."""

    def contents(self, places: Sequence[Place]) -> list[bytes]:
        """Returns the content hash (32 bytes) of each place."""

    def places(self, contents: Sequence[bytes]) -> list[list[Place]]:
        """Returns, per content hash (32 bytes), every place that holds exactly these bytes; none of a hidden one."""

    def occurrences(self, content: bytes) -> list[Occurrence]:
        """Returns the photos that have a content (32 bytes) now, first published first."""

    def similarity(self, vector: np.ndarray, place: Place) -> float:
        """Returns how near a vector, float32 [dimension], is to that of a photo."""

    def photo(self, place: Place) -> dict[str, Any]:
        """Returns what the segment says of a photo."""
