"""Looks the queries of one request up in one snapshot: the API and the page share it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from foundation.store.snapshots import Snapshot
from serving.answers import Answer
from serving.http.holding import hold
from serving.live.held import Held
from serving.live.live_searcher import LiveSearcher
from serving.live.vector_query import VectorQuery
from serving.match.match import Outcome
from serving.match.options import MatchOptions
from serving.match.query import Query

# What is asked: a photo, an embedding, or what one that cannot be asked at all comes to.
Asked: TypeAlias = Query | VectorQuery | Outcome


@dataclass(frozen=True)
class Looked:
    """What the queries of a request came to, all in one snapshot: an outcome and its answers for each, in order."""

    snapshot: Snapshot
    outcomes: list[Outcome]
    answers: list[list[Answer]]


async def look_up(
    live: LiveSearcher,
    queries: Sequence[Asked],
    options: MatchOptions,
    snapshot: int | None = None,
) -> Looked:
    """Returns what each query came to in the live snapshot, or in the numbered one.

    A query that cannot be asked at all comes as its outcome, and keeps its place. Those that found something are asked
    again if anything was retracted or ignored meanwhile. If the request is given up, queries that have not begun are
    dropped. Raises what `hold`, `Held.admit` and the queries' futures raise.
    """
    with hold(live, snapshot) as held, held.admit(sum(not isinstance(one, Outcome) for one in queries)):
        while True:
            entries = held.lists_entries()
            outcomes = await outcomes_of(held, queries, options)
            # Rows of thousands of matches take a moment, in which nobody else would be answered.
            answers = await asyncio.to_thread(lambda found: [held.answers(one, options) for one in found], outcomes)
            if held.lists_entries() == entries:
                return Looked(held.snapshot, outcomes, answers)
            # The first of many queries may have found half a minute ago what was withdrawn meanwhile.
            queries = [one if came_to.matches else came_to for one, came_to in zip(queries, outcomes, strict=True)]


async def outcomes_of(held: Held, queries: Sequence[Asked], options: MatchOptions) -> list[Outcome]:
    """Returns what each query came to; whoever fails, or gives up, drops those that have not begun."""
    futures: list[Future[Outcome]] = []
    try:
        # If one of them is refused, those before it are given up as well.
        for one in queries:
            futures.append(asked(held, one, options))
        return await asyncio.gather(*map(asyncio.wrap_future, futures))
    finally:
        for future in futures:
            future.cancel()


def asked(held: Held, query: Asked, options: MatchOptions, *, in_turn: bool = False) -> "Future[Outcome]":
    """Asks one query; `in_turn` it waits for a place, else raises Busy if none was admitted and none is free."""
    if not isinstance(query, Outcome):
        return held.submit_in_turn(query, options) if in_turn else held.submit(query, options)
    future: Future[Outcome] = Future()
    future.set_result(query)
    return future
