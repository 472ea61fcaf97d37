"""New snapshots take over while queries are answered: none fails, and none is answered by two of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serving.live.batches import Batches
from serving.live.live_searcher import LiveSearcher
from serving.live.observer import Unobserved
from tests.serving.live.conftest import NEAREST, SELDOM, TwoIndexes, eventually, from_bytes, nearest

SWAPS = 500


class Load:
    """Clients that ask for photos until they are stopped, several photos a request."""

    def __init__(self, live: LiveSearcher, two: TwoIndexes, first: int):
        self.two, self.live = two, live
        self.first = first
        self.answered = 0
        self.problems: list[object] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        """Asks, and holds each answer against what the snapshot that it names has to say."""
        # Without a pause, clients and loader would only wait for each other's turn on a processor.
        while not self.stopping.wait(0.02):
            with self.live.hold() as held, held.admit(3):
                asked = [held.submit(from_bytes(data), NEAREST) for data in self.two.photos[:3]]
                expected = self.two.archives[(held.snapshot.number - self.first) % 2]
                for future in asked:
                    try:
                        (answer,) = held.answers(future.result(timeout=60), NEAREST)
                        if not (answer.uri.startswith(expected) and answer.snapshot == held.snapshot.number):
                            self.problems.append(answer)
                    except Exception as error:
                        self.problems.append(error)
                    self.answered += 1


@contextmanager
def under_load(live: LiveSearcher, two: TwoIndexes, *, clients: int = 2) -> Iterator[Load]:
    """Runs clients until the block ends."""
    load = Load(live, two, live.state().live)
    threads = [threading.Thread(target=load.run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stopping.set()
        for thread in threads:
            thread.join()


def test_a_batch_may_be_of_two_snapshots(two: TwoIndexes, monkeypatch: pytest.MonkeyPatch):
    """Each of its queries is searched for in the snapshot that its request holds."""
    going = threading.Event()
    take = Batches.take
    told: list[int] = []
    monkeypatch.setattr(Unobserved, "batch", lambda _, size: told.append(size))
    with LiveSearcher.open(two.store, SELDOM) as live, live.hold() as old:
        # The thread waits for a batch since it was started; from the next one on it is held up.
        monkeypatch.setattr(Batches, "take", lambda batches: going.wait(60) and take(batches))
        nearest(old, two.photos[0])
        two.publish(1)
        live.reload().result(timeout=60)
        with live.hold() as new:
            asked = [(held, held.submit(from_bytes(two.photos[1]), NEAREST)) for held in (old, new, old, new)]
            eventually(lambda: len(live._pipeline._batches._waiting) == len(asked))
            going.set()
            found = [held.answers(future.result(timeout=60), NEAREST)[0] for held, future in asked]
    assert told == [1, 2, 2]
    assert [one.snapshot for one in found] == 2 * [old.snapshot.number, new.snapshot.number]
    assert [one.uri.startswith(two.archives[number % 2]) for number, one in enumerate(found)] == [True] * 4


def test_hundreds_of_swaps_under_load(two: TwoIndexes):
    """Of two indexes that answer differently each answers by turns, every request by one of them, and none fails."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        with under_load(live, two) as load:
            for number in range(1, SWAPS + 1):
                published = two.publish(number % 2)
                told = live.reload().result()
                assert (told.live, told.before, told.problem) == (published.number, published.number - 1, None)
                assert len(live.state().loaded) <= 2
        assert not load.problems
        assert load.answered > SWAPS
        eventually(lambda: live.state().loaded == (published.number,))
