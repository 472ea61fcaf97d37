"""The queries of one request: all are given up together."""

import asyncio
from concurrent.futures import Future

import pytest

from serving.http.looking_up import outcomes_of
from serving.live.errors import Closed
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from serving.match.query import Query
from tests.serving.http.fake_engine import FakeHeld, FakeLive


class Ending(FakeHeld):
    """A snapshot of an engine that is closed after two queries, whose answers never come."""

    def submit(self, query, options: MatchOptions) -> "Future[Outcome]":
        """Takes two."""
        if len(self.asked) == 2:
            raise Closed
        self.asked.append(Future())
        return self.asked[-1]


def test_queries_before_one_that_is_refused_are_given_up():
    """Nobody waits for them, and their places are for others."""
    held = Ending(FakeLive().held.snapshot)
    queries = [Query(str(number), lambda: b"") for number in range(3)]
    with pytest.raises(Closed):
        asyncio.run(outcomes_of(held, queries, MatchOptions()))
    assert [one.cancelled() for one in held.asked] == [True, True]
