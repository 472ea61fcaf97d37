"""Collects the queries that wait for the encoder, and gives them out in batches."""

from collections.abc import Callable, Hashable, Iterable
from threading import Condition
from typing import TypeVar

from serving.live.asked import Asked
from serving.live.turns import Turns

Item = TypeVar("Item")


class Batches:
    """Queries that wait for the encoder, and those that it took and that are not answered yet."""

    # Nobody waits for a timer. A query is taken at once while the threads behind the encoder have little to do; while
    # they have enough, taking it would not speed it up, and the encoder works faster on those that come meanwhile. Of
    # these not more than twice enough are taken: whoever comes next waits until nearly all of them are proved.

    def __init__(self, *, most: int, enough_behind: int, patience_seconds: float):
        """`most` are taken at a time, in turns, once fewer than `enough_behind` are left behind the encoder."""
        self._most = most
        self._enough_behind = enough_behind
        self._waiting: Turns[Asked] = Turns(patience_seconds=patience_seconds)
        self._behind: set[Asked] = set()
        self._is_closed = False
        self._changed = Condition()

    def put(self, asked: Asked) -> None:
        """Lets a query wait for the encoder."""
        with self._changed:
            self._waiting.put(asked.owner, asked)
            self._changed.notify()

    def take(self) -> list[Asked]:
        """Waits for queries, and returns those that wait, as many as may be; none after `close`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or (len(self._waiting) and len(self._behind) < self._enough_behind)
            )
            if self._is_closed:
                return []
            most = min(self._most, 2 * self._enough_behind - len(self._behind), len(self._waiting))
            taken = [self._waiting.take() for _ in range(most)]
            self._behind.update(taken)
            return taken

    def leave(self, asked: Asked) -> None:
        """Says that a query was answered, or given up; it may never have been taken."""
        with self._changed:
            self._behind.discard(asked)
            self._changed.notify()

    def close(self) -> None:
        """Gives out none any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()


def grouped(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Returns what goes together, in the order in which it came."""
    groups: dict[Hashable, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())
