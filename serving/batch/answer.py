"""Answers a chunk of queries from what was gathered for it, by the functions that answer from an open snapshot."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from serving.batch.answered import Answered
from serving.batch.described import DescribedSnapshot
from serving.batch.fetched import Fetched
from serving.batch.gathered import Gathered, GatheredSnapshot
from serving.batch.pictures import Pictures
from serving.batch.prepare import seen_past
from serving.batch.prepared import Asked, Features, Prepared
from serving.batch.wanted import Wanted
from serving.match.decoded_query import DecodedQuery
from serving.match.evidence import QueryPhoto
from serving.match.look import look, needs_closer_look
from serving.match.match import Outcome, answers_of
from serving.match.options import MatchOptions
from serving.match.outcome import outcome_of
from serving.search.hidden import HiddenContents
from serving.search.ignored import IgnoredBank
from serving.search.merge import Nearest


def answer(
    prepared: Prepared,
    pictures: Pictures,
    wanted: Wanted,
    fetched: Fetched,
    *,
    described: DescribedSnapshot,
    lists: HiddenContents,
    options: MatchOptions,
    pool: ThreadPoolExecutor,
) -> Answered:
    """Returns the answers to a chunk of queries, at the first look or at the closer one.

    `wanted` is `choose`'s, `fetched` `merge_fetched`'s. What is retracted by now is not answered.
    """
    gathered = Gathered(described, fetched, lists)
    asked = [one for one in prepared.asked if one.number not in prepared.outcomes]
    found = pool.map(partial(_outcome, prepared, pictures, wanted, gathered, options), asked)
    outcomes = {one.number: outcome for one, outcome in zip(asked, found, strict=True)}
    answers = {
        number: answers_of(one, described.snapshot, claimed=options.claimed_date)
        for number, one in sorted({**prepared.outcomes, **outcomes}.items())
        if one
    }
    return Answered(
        answers=answers,
        unsettled=[number for number, one in outcomes.items() if one is None],
        known=prepared.known,
        shown={
            number: [match.candidate.content for match in one.matches]
            for number, one in outcomes.items()
            if one and one.matches
        },
    )


def closer(
    prepared: Prepared,
    pictures: Pictures,
    wanted: Wanted,
    unsettled: Sequence[int],
    *,
    bank: IgnoredBank,
    pool: ThreadPoolExecutor,
) -> Prepared:
    """Returns what is asked at the closer look at some queries, by their numbers: it is searched as the first one was.

    `wanted` is that of the first look, whose nearest contents stand.
    """
    numbers = set(unsettled)
    chosen = [one for one in prepared.asked if one.number in numbers]
    found = list(pool.map(partial(_seen_closer, prepared, pictures, bank), chosen))
    outcomes = {one.number: seen for one, seen in zip(chosen, found, strict=True) if isinstance(seen, Outcome)}
    asked = [
        replace(one, features=seen) for one, seen in zip(chosen, found, strict=True) if not isinstance(seen, Outcome)
    ]
    near = [wanted.near[one.number] for one in asked]
    similarities = np.array([one.similarities for one in near], np.float32)
    contents = np.array([one.contents for one in near], "S32")
    return Prepared(prepared.names, outcomes, {}, asked, Nearest(similarities, contents))


def _outcome(
    prepared: Prepared, pictures: Pictures, wanted: Wanted, gathered: Gathered, options: MatchOptions, one: Asked
) -> Outcome | None:
    """Returns what a query comes to, None if it needs a closer look."""
    # The last queries of a slow chunk come minutes after the first: what is retracted meanwhile is not answered.
    gathered.lists.refresh()
    pictured, seen = _pictured(one, pictures, is_close=prepared.is_close)
    asked = _decoded(prepared.names[one.number], one, pictured)
    opened = GatheredSnapshot(gathered, wanted.voted[one.number])
    matches = look(opened, asked, seen, vector=one.vector, near=wanted.near[one.number], options=options)
    if needs_closer_look(asked, matches, gathered.lists.ignored, options):
        return None
    return outcome_of(asked, matches, options, is_proved=opened.has_local_features)


def _pictured(one: Asked, pictures: Pictures, *, is_close: bool) -> tuple[QueryPhoto | None, QueryPhoto | None]:
    """Returns a query as it is verified: as it is, and without what it shows of ignored photos."""
    if one.features is None:
        return None, None
    whole = QueryPhoto(*one.size, one.features.found, pictures.picture(one.number), is_close=is_close)
    return whole, whole if one.features.unusable is None else whole.without(one.features.unusable)


def _seen_closer(prepared: Prepared, pictures: Pictures, bank: IgnoredBank, one: Asked) -> Features | Outcome | None:
    pictured, _ = _pictured(one, pictures, is_close=False)
    return seen_past(bank, _decoded(prepared.names[one.number], one, pictured and pictured.closer))


def _decoded(name: str, one: Asked, pictured: QueryPhoto | None) -> DecodedQuery:
    return DecodedQuery.without_pixels(
        name, one.content, size=one.size, pictured=pictured, is_blank=one.is_blank, is_simple=one.is_simple
    )
