"""Keeps a snapshot open for as long as somebody uses it, with the steps of a lookup in it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic

from foundation.encoder import SavedEncoder
from serving.live.errors import ListsTooOld
from serving.match.decoded_query import DecodedQuery, decode_query
from serving.match.match import Outcome
from serving.match.query import Query
from serving.match.steps import MatchSteps
from serving.search.snapshot import OpenSnapshot

# A thread looks at the lists every ten seconds. What was retracted is gone from every answer within a minute, of which
# 20 s are for a reader that is slow, and some for making the answer: with older lists none is given.
OLDEST_LISTS_SECONDS = 35.0


def require_fresh(opened: OpenSnapshot) -> None:
    """Raises ListsTooOld if it was not to be read lately what is retracted or ignored."""
    # The store itself is not asked: where it does not answer, the threads of all queries would wait for it.
    if opened.lists_age_seconds > OLDEST_LISTS_SECONDS:
        raise ListsTooOld(
            f"what was retracted or ignored was not to be read for {opened.lists_age_seconds:.0f} s, expected a store "
            "that answers: ask again, and see the service's log and status"
        )


class Loaded:
    """An open snapshot, its encoder, and how many hold it: `users`, which `Residents` counts.

    `is_pinned` says that it was opened for requests that name it, and stays for others that will.
    """

    def __init__(self, opened: OpenSnapshot, encoder: SavedEncoder, *, is_pinned: bool = False):
        self.opened = opened
        self.encoder = encoder
        self.steps = MatchSteps(opened, encoder, refresh=partial(require_fresh, opened))
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
