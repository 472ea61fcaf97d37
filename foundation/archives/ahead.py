"""Does work in threads ahead of whoever takes its results, in a stable order and within a bounded look-ahead."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class _Waiting(Generic[Item]):
    """An item in the line whose work has not begun."""

    item: Item


@dataclass
class _Begun(Generic[Item, Result]):
    """An item whose work runs or is done; `followed` once the items that it led to stand behind it."""

    future: Future[tuple[Result, list[Item]]]
    followed: bool = False


class _Line(Generic[Item, Result]):
    """What is to come, in order: items that are being worked on, and behind them items that are not."""

    def __init__(self, items: Iterable[Item], submit: Callable[[Item], Future[tuple[Result, list[Item]]]]):
        self._source, self._submit = iter(items), submit
        self._line: list[_Waiting[Item] | _Begun[Item, Result]] = []

    def results(self, ahead: int) -> Iterator[Result]:
        """Yields the results; at most `ahead` items are begun and not taken."""
        while True:
            self._queue_followers()
            self._begin(ahead)
            if not self._line:
                return
            begun = [place for place in self._line if isinstance(place, _Begun)]
            # The head has begun: items begin from the head on. Done is not enough, as its followers may not stand here.
            if begun[0].followed:
                self._line.pop(0)
                yield begun[0].future.result()[0]
            else:
                wait([place.future for place in begun if not place.followed], return_when=FIRST_COMPLETED)

    def _queue_followers(self) -> None:
        for index in reversed(range(len(self._line))):
            place = self._line[index]
            if isinstance(place, _Begun) and not place.followed and place.future.done():
                place.followed = True
                if not place.future.exception():
                    result, followers = place.future.result()
                    # Nothing to be taken: it would only stand in the way of what could be worked on.
                    kept = [place] if result else []
                    self._line[index : index + 1] = [*kept, *map(_Waiting, followers)]

    def _begin(self, ahead: int) -> None:
        free = ahead - sum(isinstance(place, _Begun) for place in self._line)
        for index, place in enumerate(self._line):
            if free > 0 and isinstance(place, _Waiting):
                self._line[index] = _Begun(self._submit(place.item))
                free -= 1
        while free > 0 and (item := next(self._source, None)) is not None:
            self._line.append(_Begun(self._submit(item)))
            free -= 1


def in_order(
    items: Iterable[Item], work: Callable[[Item], tuple[Result, list[Item]]], *, threads: int, ahead: int
) -> Iterator[Result]:
    """Yields the result of each item, in their order; `work` returns it with more items, which come right behind it.

    At most `ahead` items are worked on or wait to be taken, and `items` are taken as they are needed. An error is
    raised where the result would come.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        yield from _Line(items, lambda item: pool.submit(work, item)).results(ahead)
    finally:
        # Whoever stops in the midst of a listing of millions must not wait for what was asked for ahead.
        pool.shutdown(wait=False, cancel_futures=True)
