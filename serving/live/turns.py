"""Lets requests take turns: what waits of one with many queries holds up no other for longer than one of them takes."""

import math
from collections import deque
from collections.abc import Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """What waits, in the order in which it came within each owner, who take turns; threads may share it.

    What waits for longer than `patience_seconds` goes before all turns, the oldest first: where more and more owners
    come with one item each, one with several would have its second turn after all of them, and again.
    """

    def __init__(self, *, patience_seconds: float = math.inf) -> None:
        self._patience_seconds = patience_seconds
        # The owner whose turn is next comes first; of each item it is known since when it waits.
        self._waiting: dict[Hashable, deque[tuple[float, Item]]] = {}
        self._count = 0
        self._changing = Lock()

    def __len__(self) -> int:
        return self._count

    def put(self, owner: Hashable, item: Item) -> None:
        """Lets something wait; an owner of whom nothing waited before has the last turn."""
        with self._changing:
            self._waiting.setdefault(owner, deque()).append((monotonic(), item))
            self._count += 1

    def take(self) -> Item:
        """Returns what has its turn; raises IndexError if nothing waits."""
        with self._changing:
            if not self._waiting:
                raise IndexError("nothing waits; expected as many calls as were put")
            owner = min(self._waiting, key=lambda one: self._waiting[one][0][0])
            if monotonic() - self._waiting[owner][0][0] < self._patience_seconds:
                owner = next(iter(self._waiting))
            items = self._waiting.pop(owner)
            if len(items) > 1:
                self._waiting[owner] = items
            self._count -= 1
            return items.popleft()[1]
