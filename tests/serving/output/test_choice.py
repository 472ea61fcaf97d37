"""What a reader chooses of the matches: an order, a range of days, a source, and words."""

from datetime import date

import pytest

from foundation.errors import UsageError
from foundation.store.occurrences import Occurrence
from serving.answers import Answer
from serving.output.choice import Choice, sources_of
from tests.builders import day, match, no_match

ANSWERS = [
    match(rank=1, verdict="cropped", published_at=day(20), caption="The Harbour at night", source="wire"),
    match(rank=2, verdict="resized", published_at=None, caption=None, source=None),
    match(rank=3, verdict="cropped", published_at=day(10), caption="harbour", source="social"),
    match(rank=4, verdict="similar", published_at=day(1), caption="a cat", source="wire"),
]


def place(**columns) -> Occurrence:
    """Returns where a photo lies, and what the archive says of it there."""
    return Occurrence("photo", "file:///photo", **columns)


def own_place(answer: Answer) -> list[Occurrence]:
    """Returns the one place of a photo that is nowhere else."""
    return [place(published_at=answer.published_at, caption=answer.caption, source=answer.source)]


def ranks(choice: Choice, answers: list[Answer] = ANSWERS, occurrences_of=own_place) -> list[int | None]:
    """Returns the ranks of what is chosen."""
    return [one.rank for one in choice.of(answers, occurrences_of)]


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({}, [3, 1, 2, 4]),
        ({"order": "best"}, [1, 2, 3, 4]),
        ({"words": "HARBOUR  night"}, [1]),
        ({"source": "wire"}, [1, 4]),
        ({"since": date(1970, 1, 11)}, [3, 1]),
        ({"until": date(1970, 1, 11)}, [3, 4]),
        ({"since": date(1970, 1, 12), "until": date(1970, 1, 21)}, [1]),
        ({"words": "dog"}, []),
    ],
)
def test_matches_are_chosen(asked: dict, chosen: list[int]):
    """Copies stand before what is none, undated ones last; without a date nothing is in a range of days."""
    assert ranks(Choice(**asked)) == chosen


TWICE = [
    place(published_at=day(1), caption="a ship", source="wire"),
    place(published_at=day(9), caption="a dog", source="social"),
]


@pytest.mark.parametrize(
    ("asked", "is_shown"),
    [
        ({"source": "social"}, True),
        ({"words": "dog", "since": date(1970, 1, 9)}, True),
        ({"words": "ship", "source": "wire", "until": date(1970, 1, 3)}, True),
        # Each place has one of both, and none has all.
        ({"words": "ship", "source": "social"}, False),
        ({"words": "dog", "until": date(1970, 1, 3)}, False),
    ],
)
def test_any_place_of_a_photo_is_enough(asked: dict, is_shown: bool):
    """A photo that was published again is found by its second publication, too, if that one is all that is asked."""
    assert bool(ranks(Choice(**asked), ANSWERS[:1], lambda answer: TWICE)) == is_shown


def test_what_is_asked_is_said():
    """In words, since it stands on paper; an order leaves nothing out."""
    asked = Choice(since=date(2024, 5, 1), until=date(2024, 5, 3), source="wire", words="dog")
    assert asked.said == "published from 1 May 2024; published until 3 May 2024; source wire; words in the caption: dog"
    assert Choice(order="best", words=" ").said == ""


def test_a_query_without_matches_keeps_its_answer():
    """Its reason must not be filtered away."""
    assert ranks(Choice(words="dog"), [no_match()]) == [None]


def test_what_leaves_something_out_is_known():
    """An order does not, and blanks are no words."""
    assert not Choice(order="best", words="  ").leaves_out
    assert all(one.leaves_out for one in (Choice(source="wire"), Choice(words="a"), Choice(since=date(2020, 1, 1))))


def test_a_choice_of_nothing_is_refused():
    """An unknown order, and a range whose end comes first."""
    with pytest.raises(UsageError, match="order is 'worst'; expected one of: oldest, best"):
        Choice(order="worst")
    with pytest.raises(UsageError, match="from 2020-01-02 to 2020-01-01; expected the earlier one first"):
        Choice(since=date(2020, 1, 2), until=date(2020, 1, 1))


def test_sources_are_listed_once():
    """For the field that they are picked from."""
    assert sources_of([*TWICE, place(), *TWICE]) == ["social", "wire"]
