"""Keeps a snapshot open for as long as somebody uses it, with the steps of a lookup in it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic

from foundation.encoder import SavedEncoder
from serving.match.decoded_query import DecodedQuery, decode_query
from serving.match.match import Outcome
from serving.match.query import Query
from serving.match.steps import MatchSteps
from serving.search.snapshot import OpenSnapshot


class Loaded:
    """An open snapshot, its encoder, and how many hold it: `users`, which `Residents` counts.

    `is_pinned` says that it was opened for requests that name it, and stays for others that will.
    """

    def __init__(self, opened: OpenSnapshot, encoder: SavedEncoder, *, is_pinned: bool = False):
        self.opened = opened
        self.encoder = encoder
        self.steps = MatchSteps(opened, encoder)
        self.is_pinned = is_pinned
        self.users = 0
        self.used_at = self.loaded_at = monotonic()
        # What decoding needs of the encoder travels to another process with each query.
        spec = replace(encoder.spec, golden_vectors=[], files={})
        self.decode: Callable[[Query], DecodedQuery | Outcome] = partial(
            decode_query, spec=spec, with_features=opened.has_local_features
        )

    @property
    def number(self) -> int:
        """The number of the snapshot."""
        return self.opened.snapshot.number

    def close(self) -> None:
        """Removes what was copied from a bucket; nobody may use it any more."""
        self.opened.close()
