"""Takes a query through a lookup step by step: decode, encode, find what is near, prove.

`Matcher` goes through them for a list of queries, the service for queries of many clients at a time.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from foundation.encoder import SavedEncoder
from foundation.store.encoders import EncoderSpec
from serving.match.candidates import nearest_vectors
from serving.match.decoded_query import DecodedQuery, decode_query
from serving.match.ignored import look_past, outcome_of_ignored
from serving.match.look import look, needs_closer_look
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from serving.match.outcome import outcome_of
from serving.match.query import Query
from serving.search.merge import Nearest
from serving.search.snapshot import OpenSnapshot


class MatchSteps:
    """The steps of a lookup in one snapshot, with the encoder that it names; threads may share it.

    What else is in a batch changes the answer of no query. `refresh` is called before each search and each proof, for
    what was retracted or ignored meanwhile: by default `SegmentGroup.refresh`, which may read the store.
    """

    def __init__(self, opened: OpenSnapshot, encoder: SavedEncoder, *, refresh: Callable[[], None] | None = None):
        self._opened = opened
        self._encoder = encoder
        self.refresh = refresh or opened.refresh

    @property
    def spec(self) -> EncoderSpec:
        """The encoder."""
        return self._encoder.spec

    def decode(self, query: Query | DecodedQuery) -> DecodedQuery | Outcome:
        """Reads and decodes a query, in this process: see `decode_query`."""
        return decode_query(query, self.spec, with_features=self._opened.has_local_features)

    def encode(self, asked: Sequence[DecodedQuery]) -> np.ndarray:
        """Returns a vector for each query, float32 [queries, dimension], not finite for one without pixels."""
        given = [number for number, one in enumerate(asked) if one.photo.pixels.size]
        vectors = np.full((len(asked), self.spec.dimension), np.nan, np.float32)
        if given:
            vectors[given] = self._encoder.encode(np.stack([asked[number].photo.pixels for number in given]))
        return vectors

    def near(self, vectors: np.ndarray, k: int) -> list[Nearest]:
        """Returns the k nearest contents of each vector, float32 [queries, dimension]."""
        return nearest_vectors(self._opened, vectors, k)

    def prove(self, asked: DecodedQuery, vector: np.ndarray, near: Nearest, options: MatchOptions) -> Outcome:
        """Returns what a query came to, by its vector, float32 [dimension], and what is near to it."""
        # The last queries of a slow batch come minutes after the first: what is retracted meanwhile is not answered.
        self.refresh()
        bank = self._opened.ignored
        seen = look_past(bank, asked, asked.pictured)
        if seen.ignored:
            return outcome_of_ignored(asked.name, seen.ignored)
        look_at = partial(look, self._opened, asked, vector=vector, near=near, options=options)
        matches = look_at(seen.pictured)
        if asked.pictured and needs_closer_look(asked, matches, bank, options):
            seen = look_past(bank, asked, asked.pictured.closer)
            if seen.ignored:
                return outcome_of_ignored(asked.name, seen.ignored)
            matches = look_at(seen.pictured)
        # A vector alone is compared with no pixels: what is near to it is all that there is.
        is_proved = self._opened.has_local_features and asked.pictured is not None
        return outcome_of(asked, matches, options, is_proved=is_proved)
