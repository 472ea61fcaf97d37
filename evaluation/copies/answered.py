"""Holds what was answered to each query, by the product or by another method, apart from how it was found."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from serving.answers import Answer

# From this score on an answer says that the photo is the same.
COPY = 0.5


@dataclass(frozen=True)
class Found:
    """One photo of the archive as an answer, by its key, or by its whole photo_id where it is a distractor."""

    photo: str
    score: float
    verdict: str | None = None
    first_seen_at: datetime | None = None


@dataclass(frozen=True)
class Answered:
    """What a query came to: photos of the archive, best first, none where nothing was found."""

    status: str
    found: Sequence[Found]

    @property
    def first(self) -> Found | None:
        """The best answer, None without any."""
        return self.found[0] if self.found else None

    def answer_for(self, photo: str | None) -> Found | None:
        """Returns the answer that names this photo, None if none does."""
        return next((one for one in self.found if one.photo == photo), None)


def key_of_file(answer: Answer) -> str:
    """Returns the key of the photo that an answer names: the archive's files are called by it."""
    return PurePosixPath(answer.photo_id or "").stem


def from_answers(answers: Iterable[Answer], photo_of: Callable[[Answer], str] = key_of_file) -> Answered:
    """Returns the answers of one query; `photo_of` says which photo an answer names."""
    rows = list(answers)
    found = [
        Found(photo_of(row), row.score, row.verdict, row.first_seen_at)
        for row in rows
        if row.photo_id is not None and row.score is not None
    ]
    return Answered(rows[0].status, found)
