"""Counts the queries in the hands of the engine, and takes no more than there are places."""

from threading import Lock

from serving.live.errors import RETRY_SECONDS, Busy


class Places:
    """So many places for queries, all of them free at first; threads may share them."""

    def __init__(self, most: int):
        self.most = most
        self.taken = 0
        self.changing = Lock()

    def change(self, places: int) -> None:
        """Takes so many places, or gives them back if negative; the caller holds `changing`.

        Raises Busy, and takes none, if there are fewer.
        """
        if places > 0 and self.taken + places > self.most:
            raise Busy(
                f"{self.taken:,} queries are being answered, and {places:,} more are asked; expected {self.most:,} in "
                f"all: ask again in {RETRY_SECONDS:g} s, or start with a longer queue (--queue-queries)"
            )
        self.taken += places
