"""Chooses which matches of a query a page shows, and in which order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone

from foundation.checks import require_choice
from foundation.errors import UsageError
from foundation.store.occurrences import Occurrence
from serving.answers import Answer
from serving.output.wording import day_words

ORDERS = ("oldest", "best")
_LAST = datetime.max.replace(tzinfo=timezone.utc)

# Gives the occurrences of a match: all places of the archive where its bytes lie, each with a date and a caption.
OccurrencesOf = Callable[[Answer], Sequence[Occurrence]]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a reader asks for: copies oldest or best first, published between two days, of a source, with words.

    A match is shown if one of its occurrences is all that is asked for. `words` are looked for in the caption, all of
    them, whatever their case. What has no date of publication is in no range of dates. Raises UsageError for an unknown
    order, and for a range that holds no day.
    """

    order: str = "oldest"
    since: date | None = None
    until: date | None = None
    source: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        require_choice("order", self.order, ORDERS)
        if self.since and self.until and self.until < self.since:
            raise UsageError(f"the dates go from {self.since} to {self.until}; expected the earlier one first")

    @property
    def leaves_out(self) -> bool:
        """Whether some matches may not be shown."""
        return bool(self.since or self.until or self.source or self.words.split())

    @property
    def said(self) -> str:
        """What is asked for in words, "" if nothing is left out."""
        asked = (
            f"published from {day_words(self.since)}" if self.since else "",
            f"published until {day_words(self.until)}" if self.until else "",
            f"source {self.source}" if self.source else "",
            f"words in the caption: {self.words}" if self.words.split() else "",
        )
        return "; ".join(filter(None, asked))

    def of(self, answers: Sequence[Answer], occurrences_of: OccurrencesOf) -> list[Answer]:
        """Returns the matches that are shown, copies before what is none; without a match, the answer as it is."""
        if answers[0].rank is None:
            return list(answers)
        chosen = [answer for answer in answers if self.first_taken(occurrences_of(answer))]
        return sorted(chosen, key=_oldest) if self.order == "oldest" else chosen

    def first_taken(self, occurrences: Iterable[Occurrence]) -> Occurrence | None:
        """Returns the first occurrence that is all that is asked for, if there is one."""
        return next(filter(self._takes, occurrences), None)

    def _takes(self, one: Occurrence) -> bool:
        caption = (one.caption or "").casefold()
        return (
            self._is_in_range(one.published_at)
            and (not self.source or one.source == self.source)
            and all(word in caption for word in self.words.casefold().split())
        )

    def _is_in_range(self, published_at: datetime | None) -> bool:
        if published_at is None:
            return not (self.since or self.until)
        day = published_at.astimezone(timezone.utc).date()
        return (self.since or date.min) <= day <= (self.until or date.max)


def sources_of(occurrences: Iterable[Occurrence]) -> list[str]:
    """Returns the sources that occurrences name, each once, sorted."""
    return sorted({one.source for one in occurrences if one.source})


def _oldest(answer: Answer) -> tuple[bool, datetime, int]:
    # What is no copy stays as near as it was found: how old it is says nothing.
    return not answer.is_copy, (answer.published_at or _LAST) if answer.is_copy else _LAST, answer.rank or 0
