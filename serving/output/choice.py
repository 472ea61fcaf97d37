"""Chooses which matches of a query a page shows, and in which order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone

from foundation.checks import require_choice
from foundation.errors import UsageError
from serving.answers import Answer

ORDERS = ("oldest", "best")
_LAST = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a reader asks for: copies oldest or best first, published between two days, of a source, with words.

    `words` are looked for in the caption, all of them, whatever their case. A photo without a date of publication is in
    no range of dates. Raises UsageError for an unknown order, and for a range that holds no day.
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

    def of(self, answers: Sequence[Answer]) -> list[Answer]:
        """Returns the matches that are shown, copies before what is none; without a match, the answer as it is."""
        if answers[0].rank is None:
            return list(answers)
        chosen = [answer for answer in answers if self._takes(answer)]
        return sorted(chosen, key=_oldest) if self.order == "oldest" else chosen

    def _takes(self, answer: Answer) -> bool:
        caption = (answer.caption or "").casefold()
        return (
            self._is_in_range(answer.published_at)
            and (not self.source or answer.source == self.source)
            and all(word in caption for word in self.words.casefold().split())
        )

    def _is_in_range(self, published_at: datetime | None) -> bool:
        if published_at is None:
            return not (self.since or self.until)
        day = published_at.astimezone(timezone.utc).date()
        return (self.since or date.min) <= day <= (self.until or date.max)


def sources_of(answers: Iterable[Sequence[Answer]]) -> list[str]:
    """Returns the sources of all matches, sorted."""
    return sorted({answer.source for one_query in answers for answer in one_query if answer.source})


def _oldest(answer: Answer) -> tuple[bool, datetime, int]:
    # What is no copy stays as near as it was found: how old it is says nothing.
    return not answer.is_copy, (answer.published_at or _LAST) if answer.is_copy else _LAST, answer.rank or 0
