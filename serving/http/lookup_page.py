"""Prepares the page of a lookup: what is chosen of its matches, with addresses of pictures and evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from serving.answers import Answer
from serving.http.held import HeldLookup, HeldQuery
from serving.http.still_shown import StillShown, still_shown
from serving.match.footprint import Size
from serving.match.match import answers_of
from serving.output.choice import Choice, sources_of
from serving.output.time_line import time_line
from serving.output.view import HEADINGS, Framed, Sight, view_of
from serving.output.wording import day_words
from serving.search.snapshot import OpenSnapshot

# What only looks alike is seldom of use, and never proof.
SHOWN_SIMILAR = 8


@dataclass(frozen=True)
class Seen:
    """How a reader looks at a lookup: its id, what is chosen of it, and the date that is claimed for the photos."""

    lookup_id: str
    choice: Choice = field(default_factory=Choice)
    claimed: datetime | None = None
    claimed_text: str = ""
    # The query of addresses that lead on: what is claimed is judged there, too.
    asked: str = ""


@dataclass(frozen=True)
class Shown:
    """One query as it is shown now: what is left of it, and the answers of that, with the ranks they were found by."""

    held: HeldQuery
    still: StillShown
    answers: list[Answer]


def shown_queries(lookup: HeldLookup, claimed: datetime | None, opened: OpenSnapshot) -> list[Shown]:
    """Returns every query of a lookup without what was withdrawn since; `opened` is the live snapshot."""
    shown = []
    for held in lookup.queries:
        still = still_shown(held, opened)
        answers = answers_of(still.outcome, lookup.snapshot, claimed=claimed)
        if still.ranks:
            # Addresses of evidence hold the rank: it stays when a match before it is withdrawn.
            answers = [replace(one, rank=rank) for one, rank in zip(answers, still.ranks, strict=True)]
        shown.append(Shown(held, still, answers))
    return shown


def page_values(lookup: HeldLookup, seen: Seen, opened: OpenSnapshot) -> dict[str, Any]:
    """Returns what the template `lookup.html` takes."""
    queries = shown_queries(lookup, seen.claimed, opened)
    views = [_view(number, one, seen) for number, one in enumerate(queries, 1)]
    snapshot = lookup.snapshot
    return {
        "lookup_id": seen.lookup_id,
        "address": f"/lookups/{seen.lookup_id}?snapshot={snapshot.number}{seen.asked.replace('?', '&')}",
        "queries": views,
        "counts": _counts(views),
        "facts": f"Snapshot {snapshot.number} of {day_words(datetime.fromisoformat(snapshot.created_at))} · "
        f"{snapshot.photos:,} photos",
        "snapshot": snapshot.number,
        "choice": seen.choice,
        "claimed_text": seen.claimed_text,
        "asked": seen.asked,
        "sources": sources_of(one.answers for one in queries),
    }


def _view(number: int, shown: Shown, seen: Seen) -> dict[str, Any]:
    chosen = _each_part_first(seen.choice.of(shown.answers))
    base = f"/lookups/{seen.lookup_id}"
    picture = shown.held.picture
    sight = Sight(
        query=Framed(f"{base}/{number}.jpg", picture.size) if picture else None,
        photo=lambda answer: _photo(f"{base}/{number}-{answer.rank}.jpg", shown, answer),
        is_served=True,
        most_similar=SHOWN_SIMILAR,
        evidence=lambda answer: f"/v1/evidence/{seen.lookup_id}/{number}-{answer.rank}.html{seen.asked}",
    )
    matches = [shown.still.ranks[one.rank] for one in chosen if one.is_copy and one.rank]
    occurrences = [one for match in matches for one in shown.held.occurrences[match.photo["content_sha256"]]]
    return {
        **view_of(number, shown.answers, sight, chosen=chosen),
        "line": time_line(occurrences, seen.claimed),
        "withdrawn": shown.still.withdrawn,
        "total": len(shown.still.ranks),
        "left": sum(one.rank is not None for one in chosen),
    }


def _each_part_first(answers: Sequence[Answer]) -> list[Answer]:
    """Returns the answers with the first one of each finding before the others: of a collage every part is seen."""
    first: dict[Any, Answer] = {}
    for answer in answers:
        if answer.is_copy:
            first.setdefault((answer.first_seen_at, answer.first_seen_uri), answer)
    return [*first.values(), *(answer for answer in answers if answer not in first.values())]


def _photo(address: str, shown: Shown, answer: Answer) -> Framed:
    match = shown.still.ranks[answer.rank or 0]
    # Where the index keeps no thumbnails, one is made of the archive's photo.
    source = address if match.thumbnail else f"/v1/thumbnails/{match.photo['content_sha256'].hex()}"
    return Framed(source, Size(match.photo["width"], match.photo["height"]))


def _counts(views: Sequence[dict[str, Any]]) -> str:
    """Returns in words how many queries came to what."""
    numbers = {words.lower(): sum(one["status"] == status for one in views) for status, words in HEADINGS.items()}
    return ", ".join(f"{number} {words}" for words, number in numbers.items() if number)
