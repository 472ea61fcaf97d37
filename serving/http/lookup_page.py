"""Prepares the page of a lookup: what is chosen of its matches, with addresses of pictures and evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from foundation.store.occurrences import Occurrence
from serving.answers import Answer
from serving.http.held import HeldLookup, HeldQuery
from serving.http.page_addresses import Seen, address_of, form_address
from serving.http.still_shown import StillShown, still_shown
from serving.match.claim import claimed_words
from serving.match.footprint import Size
from serving.match.match import answers_of
from serving.output.choice import Choice, sources_of
from serving.output.display import printable
from serving.output.overview import counts_of, row_of
from serving.output.time_line import time_line
from serving.output.view import Framed, Sight, view_of
from serving.output.wording import day_words, moment_words
from serving.search.snapshot import OpenSnapshot

# What only looks alike is seldom of use, and never proof.
SHOWN_SIMILAR = 8


@dataclass(frozen=True)
class Shown:
    """One query as it is shown now: what is left of it, and the answers of that, with the ranks they were found by."""

    held: HeldQuery
    still: StillShown
    answers: list[Answer]

    def occurrences(self, answer: Answer) -> Sequence[Occurrence]:
        """Returns where the archive holds the photo of a match, first published first."""
        return self.held.occurrences[self.still.ranks[answer.rank or 0].photo["content_sha256"]]

    def places(self) -> Iterator[Occurrence]:
        """Yields where the archive holds the photos of all matches."""
        for answer in self.answers:
            yield from self.occurrences(answer) if answer.rank else ()

    def chosen(self, choice: Choice) -> list[Answer]:
        """Returns the answers that are shown to somebody who chooses so."""
        return choice.of(self.answers, self.occurrences)


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
        "address": address_of(seen, lookup),
        "whole": address_of(seen.whole, lookup),
        "queries": views,
        "rows": [row_of(one, _small(one, seen)) for one in views],
        "left": sum(one["left"] for one in views),
        "total": sum(one["total"] for one in views),
        "counts": counts_of(views),
        "facts": f"Looked up {moment_words(lookup.made_at)} · snapshot {snapshot.number} of "
        f"{day_words(datetime.fromisoformat(snapshot.created_at))} · {snapshot.photos:,} photos · dates are in UTC",
        "snapshot": snapshot.number,
        "choice": seen.choice,
        "claimed": seen.claimed and claimed_words(seen.claimed),
        "claimed_text": seen.claimed_text,
        "asked": seen.asked,
        "ask_at": form_address(seen.claimed_text),
        "sources": sources_of(place for one in queries for place in one.places()),
    }


def _view(number: int, shown: Shown, seen: Seen) -> dict[str, Any]:
    chosen = _each_part_first(shown.chosen(seen.choice))
    base = f"/lookups/{seen.lookup_id}"
    picture = shown.held.picture
    sight = Sight(
        query=Framed(f"{base}/{number}.jpg", picture.size) if picture else None,
        photo=lambda answer: _photo(f"{base}/{number}-{answer.rank}.jpg", shown, answer),
        is_served=True,
        most_similar=SHOWN_SIMILAR,
        evidence=lambda answer: f"/v1/evidence/{seen.lookup_id}/{number}-{answer.rank}.html{seen.asked}",
        also=lambda answer: _also(shown.occurrences(answer), seen.choice),
    )
    places = [place for one in chosen if one.is_copy for place in shown.occurrences(one)]
    return {
        **view_of(number, shown.answers, sight, chosen=chosen),
        "line": time_line(places, seen.claimed),
        "withdrawn": shown.still.withdrawn,
        "total": len(shown.still.ranks),
        "left": sum(one.rank is not None for one in chosen),
    }


def _small(view: Mapping[str, Any], seen: Seen) -> str | None:
    return f"/lookups/{seen.lookup_id}/{view['number']}-small.jpg" if view["picture"] else None


def _also(occurrences: Sequence[Occurrence], choice: Choice) -> str:
    """Returns by which place a match is what is asked for, if that is not the first one, which a page tells anyway."""
    place = choice.first_taken(occurrences)
    if place is None or place is occurrences[0]:
        return ""
    when = f"published {day_words(place.published_at)}" if place.published_at else "without a date"
    return ", ".join(filter(None, (f"also {when}", printable(place.source or ""), printable(place.caption or ""))))


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
