"""Why a file could not be looked up, in words: each reason that programs count has its own."""

import pytest

from foundation.archives.photos import UnreadablePhotoError
from foundation.photos.rejects import REASONS
from serving.match.outcome import BLANK, TOO_SIMPLE
from serving.output.reject_words import words_of


@pytest.mark.parametrize(
    "reason", [*REASONS, UnreadablePhotoError.reason, BLANK.partition(":")[0], TOO_SIMPLE.partition(":")[0]]
)
def test_every_reason_has_words(reason: str):
    """What is wrong, what to do, and what was met exactly; the word of programs is in none of them."""
    said, remedy, detail = words_of(f"{reason}: received x; expected y")
    assert said.startswith(("This ", "It "))
    assert remedy.endswith(".")
    assert detail == "received x; expected y"
    assert reason not in f"{said}{remedy}"


def test_a_reason_without_words_is_said_as_it_is():
    """One of a later version, or of the API alone; a word alone loses its underscores."""
    assert words_of("wrong_embedding: 3 numbers") == ("wrong embedding: 3 numbers", "", "")
    assert words_of("too_large").detail == ""
