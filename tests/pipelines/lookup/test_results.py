"""What is withdrawn while a lookup is at work, or while its answers are written, is not answered."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foundation.store.retractions import RetractedPhoto, add_retraction
from pipelines.lookup.in_order import InOrder
from pipelines.lookup.job import look_up
from pipelines.lookup.results import OutdatedAnswersError
from pipelines.lookup.withdrawn import Withdrawn
from serving.answers import Answer
from serving.queries import Listed
from serving.search import followed
from tests.pipelines.lookup.desk import Desk, cut_off_at_the_end, digest, told, withdrawn


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is withdrawn counts at the next look."""
    monkeypatch.setattr(followed, "LOOK_SECONDS", 0)


def photos(desk: Desk, contents: str) -> list[str]:
    """Returns the names of photos 0.jpg, 1.jpg …, each with a letter for its content."""
    return [desk.photo(f"{place}.jpg", letter.encode()) for place, letter in enumerate(contents)]


def found_of(answers: Iterator[list[Answer]]) -> str:
    """Returns a letter for each query: that of the photo that was found, or a point for none, or x for a reject."""
    letters = {digest(letter.encode()).hex(): letter for letter in "abcdef"}
    short = {"matched": letters.get, "no_match": lambda _: ".", "rejected": lambda _: "x"}
    return "".join(str(short[status](photo_id)) for _, status, photo_id in told(list(answers)))


def test_what_is_withdrawn_meanwhile_is_not_answered(desk: Desk) -> None:
    """Whatever was answered before is looked up again, for all who have the same bytes, and only that."""
    with look_up(map(Listed, photos(desk, "abcabcabcabc")), desk.options()) as found:
        answers = found.answers(may_be_taken_back=True)
        assert next(answers)[0].status == "matched"
        desk.calls.decoded.clear()
        add_retraction(desk.store, [withdrawn(b"a")], why="")
        # A file that says otherwise has no name yet, and is written once more.
        with pytest.raises(OutdatedAnswersError):
            list(answers)
        again = list(found.answers(may_be_taken_back=True))
    assert found_of(iter(again)) == ".bc" * 4
    assert [name for name, _, _ in told(again)] == [f"{place}.jpg" for place in range(12)]
    assert desk.calls.decoded == {b"a": 1}


def test_each_copy_is_looked_at_again_by_its_own_file(desk: Desk) -> None:
    """That of the query whose answer it shared may be gone by then, or be another photo."""
    names = photos(desk, "aabaab")
    with look_up(map(Listed, names), desk.options()) as found:
        add_retraction(desk.store, [withdrawn(b"a")], why="")
        Path(names[0]).unlink()
        Path(names[3]).write_bytes(b"c")
        assert found_of(found.answers(may_be_taken_back=True)) == "x.bc.b"


def same_name(data: bytes) -> RetractedPhoto:
    """Returns a photo of another archive with the name that answers have for that content."""
    return RetractedPhoto(archive="other", photo_id=digest(data).hex(), content_sha256=digest(b"other").hex())


@pytest.mark.parametrize("first", [withdrawn, same_name])
def test_what_no_answer_shows_costs_nothing(desk: Desk, first: Callable[[bytes], RetractedPhoto]) -> None:
    """An answer that was looked at again is so once more only if what it shows now is withdrawn."""
    with look_up(map(Listed, photos(desk, "abac")), desk.options()) as found:
        add_retraction(desk.store, [first(b"a")], why="")
        expected = found_of(found.answers(may_be_taken_back=True))
        assert expected == (".b.c" if first is withdrawn else "abac")
        desk.calls.decoded.clear()
        answers = found.answers(may_be_taken_back=True)
        begun = [next(answers) for _ in range(3)]
        add_retraction(desk.store, [withdrawn(b"f")], why="")
        assert found_of(iter([*begun, *answers])) == expected
        assert not desk.calls.decoded


def test_what_replaces_an_answer_may_be_withdrawn_too(desk: Desk) -> None:
    """It is looked at again as the first one was, with all copies."""
    desk.calls.match = lambda content: digest(b"d") if content == digest(b"a") else content
    with look_up(map(Listed, photos(desk, "abab")), desk.options()) as found:
        add_retraction(desk.store, [withdrawn(b"d")], why="")
        desk.calls.match = lambda content: digest(b"e") if content == digest(b"a") else content
        assert found_of(found.answers(may_be_taken_back=True)) == "ebeb"
        add_retraction(desk.store, [withdrawn(b"e")], why="")
        assert found_of(found.answers(may_be_taken_back=True)) == ".b.b"


def test_what_is_withdrawn_while_answers_are_looked_at_again_counts(desk: Desk) -> None:
    """To look again may take minutes."""
    with look_up(map(Listed, photos(desk, "abc")), desk.options()) as found:
        add_retraction(desk.store, [withdrawn(b"a")], why="")
        more = [withdrawn(b"b")]
        desk.calls.hook = lambda step: more and add_retraction(desk.store, [more.pop()], why="")
        assert found_of(found.answers(may_be_taken_back=False)) == "..c"


def test_answers_are_handed_on_however_often_something_else_is_withdrawn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To go through all answers may take longer than until the next one is withdrawn."""
    passes: list[Withdrawn] = []
    monkeypatch.setattr(InOrder, "outdated", lambda self, withdrawn: passes.append(withdrawn) or [])
    with look_up(map(Listed, photos(desk, "abcdab")), desk.options()) as found:
        handed = []
        for answers in found.answers(may_be_taken_back=True):
            add_retraction(desk.store, [withdrawn(b"%d" % len(handed))], why="")
            handed.append(answers)
    assert found_of(iter(handed)) == "abcdab"
    assert len(passes) == 1


@pytest.mark.parametrize("may_be_taken_back", [True, False])
def test_what_is_withdrawn_counts_at_the_very_next_query(desk: Desk, may_be_taken_back: bool) -> None:
    """Whoever takes the answers may be slow; and what was not handed on yet need not be written again."""
    with look_up(map(Listed, photos(desk, "abc")), desk.options()) as found:
        answers = found.answers(may_be_taken_back=may_be_taken_back)
        begun = [next(answers)]
        add_retraction(desk.store, [withdrawn(b"b")], why="")
        assert found_of(iter([*begun, *answers])) == "a.c"


def test_what_is_withdrawn_once_more_counts_again(desk: Desk) -> None:
    """An entry was undone, an answer shows its photo since, and there is another entry."""
    with look_up(map(Listed, photos(desk, "ab")), desk.options()) as found:
        entry = add_retraction(desk.store, [withdrawn(b"c")], why="")
        assert found_of(found.answers(may_be_taken_back=True)) == "ab"
        add_retraction(desk.store, [], why="", undoes=entry.number)
        assert found_of(found.answers(may_be_taken_back=True)) == "ab"
        desk.calls.match = lambda content: digest(b"c")
        add_retraction(desk.store, [withdrawn(b"a")], why="")
        assert found_of(found.answers(may_be_taken_back=True)) == "cb"
        add_retraction(desk.store, [withdrawn(b"c")], why="")
        assert found_of(found.answers(may_be_taken_back=True)) == ".b"


def test_what_is_undone_while_answers_are_looked_at_again_may_be_withdrawn_once_more(desk: Desk) -> None:
    """The answers that are found meanwhile name it."""
    with look_up(map(Listed, photos(desk, "ab")), desk.options()) as found:
        entry = add_retraction(desk.store, [withdrawn(b"c")], why="")
        assert found_of(found.answers(may_be_taken_back=True)) == "ab"
        desk.calls.match = lambda content: digest(b"c")
        undone: list[object] = []
        desk.calls.hook = lambda step: (
            undone or undone.append(add_retraction(desk.store, [], why="", undoes=entry.number))
        )
        add_retraction(desk.store, [withdrawn(b"a")], why="")
        assert found_of(found.answers(may_be_taken_back=False)) == "cb"
        add_retraction(desk.store, [withdrawn(b"c")], why="")
        assert found_of(found.answers(may_be_taken_back=False)) == ".b"


def test_what_was_withdrawn_since_a_lookup_was_cut_off_is_not_answered(desk: Desk) -> None:
    """A retraction by name counts as well, whatever content came under it."""
    names = [desk.photo(f"{place}.jpg", b"%d" % place) for place in range(3)]
    cut_off_at_the_end(desk, names)
    add_retraction(desk.store, [withdrawn(b"0")], why="")
    assert [status for _, status, _ in told(desk.look_up(names))] == ["no_match", "matched", "matched"]
