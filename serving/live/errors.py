"""Defines why a live store does not answer a query now, and when to ask again."""

from foundation.errors import TemporaryError

# Most queries take less than a second; who asks again sooner finds the same queue.
RETRY_SECONDS = 1.0


class NotNowError(TemporaryError):
    """A query that is not answered now; `retry_after_seconds` says when asking again is worth it."""

    def __init__(self, message: str, *, retry_after_seconds: float = RETRY_SECONDS):
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Busy(NotNowError):  # noqa: N818 (the word of the answer 503)
    """More queries than the engine takes at a time."""


class SnapshotNotLoaded(NotNowError):  # noqa: N818 (as above)
    """A snapshot that was asked for by its number, and is opened meanwhile."""


class ListsTooOld(NotNowError):  # noqa: N818 (as above)
    """A query while nobody knows what is retracted."""


class DeadlineExceeded(NotNowError):  # noqa: N818 (as above)
    """A query that waited longer than a query may."""


class GivenUp(NotNowError):  # noqa: N818 (as above)
    """A query that nobody waits for any more."""


class Closed(NotNowError):  # noqa: N818 (as above)
    """A query that was not answered before the engine was closed."""

    def __init__(self) -> None:
        super().__init__("the service is ending; expected one that runs: ask again")
