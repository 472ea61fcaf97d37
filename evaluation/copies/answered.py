"""Holds what was answered to each query, by the product or by another method, apart from how it was found."""

from collections.abc import Iterable, Sequence
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
    def best_score(self) -> float:
        """The highest score of all answers, 0 without any."""
        return max((one.score for one in self.found), default=0.0)

    def answer_for(self, photo: str | None) -> Found | None:
        """Returns the answer that names this photo, None if none does."""
        return next((one for one in self.found if one.photo == photo), None)


def from_answers(answers: Iterable[Answer]) -> Answered:
    """Returns the answers of one query; the archive's files are named by the keys of their photos."""
    rows = list(answers)
    found = [
        Found(PurePosixPath(row.photo_id).stem, row.score, row.verdict, row.first_seen_at)
        for row in rows
        if row.photo_id is not None and row.score is not None
    ]
    return Answered(rows[0].status, found)
