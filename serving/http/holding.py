"""Holds the snapshot that a request asks for, and says no more of one that does not answer than that."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from serving.http.problems import Problem
from serving.live.held import Held
from serving.live.live_searcher import LiveSearcher


@contextmanager
def hold(live: LiveSearcher, number: int | None = None) -> Iterator[Held]:
    """Keeps the live snapshot, or the numbered one, until the block ends.

    Raises a Problem, 404, for a number that is not there (any more) or was refused: why is nothing for who asks. Raises
    SnapshotNotLoaded while it is opened.
    """
    with ExitStack() as stack:
        try:
            held = stack.enter_context(live.hold(number))
        except (InputNotFoundError, ArtifactRefusedError) as error:
            detail = f"snapshot {number} does not answer; expected another number, or none: the live one answers then"
            raise Problem(404, "not_found", detail) from error
        yield held
