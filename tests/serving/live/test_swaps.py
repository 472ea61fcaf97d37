"""New snapshots take over while queries are answered: none fails, and none is answered by two of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from serving.live.live_searcher import LiveSearcher
from serving.match.options import MatchOptions
from tests.serving.live.conftest import SELDOM, TwoIndexes, eventually, from_bytes

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
        options = MatchOptions()
        while not self.stopping.is_set():
            with self.live.hold() as held, held.admit(3):
                asked = [held.submit(from_bytes(data), options) for data in self.two.photos[:3]]
                expected = self.two.archives[(held.snapshot.number - self.first) % 2]
                for future in asked:
                    try:
                        (answer,) = held.answers(future.result(timeout=60), options)
                        is_right = answer.verdict == "identical" and answer.uri.startswith(expected)
                        if not (is_right and answer.snapshot == held.snapshot.number):
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


def test_hundreds_of_swaps_under_load(two: TwoIndexes):
    """Of two indexes that answer differently each answers by turns, every request by one of them, and none fails."""
    with LiveSearcher.open(two.store, SELDOM) as live:
        with under_load(live, two) as load:
            for number in range(1, SWAPS + 1):
                published = two.publish(number % 2)
                told = live.reload()
                assert (told.live, told.before, told.problem) == (published.number, published.number - 1, None)
                assert len(live.state().loaded) <= 2
        assert not load.problems
        assert load.answered > SWAPS
        eventually(lambda: live.state().loaded == (published.number,))
