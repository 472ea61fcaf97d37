"""Puts answers into words, the same in the table and on every page."""

from datetime import date, datetime, timezone

from foundation.store.occurrences import Basis

ONLY_SIMILAR = "only similar, no proof of a copy"
CONTRADICTED = "contradicts the claimed date: the archive published it earlier"
NOT_CONTRADICTED = "does not contradict the claimed date; a day more or less may be one of time zones"
BY_FILE = "date from the photo’s file"
# What is said of a verdict that comes without a description of its own.
_VERDICTS = {
    "identical": "the same file, byte for byte",
    "similar": ONLY_SIMILAR,
    "same_scene": "another photograph of the scene, no copy",
}


def described(verdict: str | None, description: str | None) -> str:
    """Returns what was done to the photo: the description of the match, or the words of its verdict."""
    return description or _VERDICTS.get(verdict or "", (verdict or "").replace("_", " "))


def day_words(moment: date) -> str:
    """Returns a date as people write it; of a time its day."""
    return f"{moment:%-d %B} {moment.year}"


def moment_words(moment: datetime) -> str:
    """Returns a time as people write it, in UTC, and says so."""
    in_utc = moment.astimezone(timezone.utc)
    return f"{day_words(in_utc)}, {in_utc:%H:%M} UTC"


def seen_words(at: datetime | None, basis: Basis | None) -> str:
    """Returns when a photo was first seen; a date that is no publication is told as weaker: anybody can set it."""
    if at is None:
        return "in the archive, without a date"
    return f"first published {day_words(at)}" if basis == "published" else f"captured {day_words(at)} ({BY_FILE})"


def sentence(text: str) -> str:
    """Returns a text that begins with a capital letter and ends with a full stop."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}." if text else ""
