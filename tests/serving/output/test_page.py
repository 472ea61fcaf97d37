"""The page: stands alone, escapes what others wrote, and says where a photo is gone."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foundation.errors import InputNotFoundError
from serving.answers import Answer
from serving.output.page import SHOWN_MATCHES, write_page
from tests.builders import match, no_match
from tests.photos import jpeg, scene

SCRIPT = "<script>alert('x')</script>"


def write(*answers: list[Answer], read=lambda uri: jpeg(scene(0)), decoded: Path | None = None) -> str:
    """Writes a page and returns its text."""
    file = io.StringIO()
    write_page(answers, file, read=read, title="Title", facts="Facts", decoded=decoded)
    return file.getvalue()


def test_a_match_is_shown_with_what_is_known_of_it() -> None:
    """Both pictures, score, verdict, first-seen date, occurrences, caption and credit."""
    page = write([match(caption="A harbour", credit="Agency", score=0.912, occurrences=3)])
    assert page.count("data:image/jpeg;base64,") == 2
    for text in (
        "Title",
        "Facts",
        "query.jpg",
        "a/photo.jpg",
        "0.912",
        "2 January 1970",
        "A harbour",
        "Agency",
        "3 exact",
    ):
        assert text in page


def test_the_page_stands_alone() -> None:
    """It fetches nothing: no address of another machine or file is in it."""
    page = write([match(uri="file:///archive/x.jpg")], [no_match()])
    assert "http:" not in page
    assert "https:" not in page
    assert page.count('src="data:') == 3
    assert page.count("src=") == 3


@pytest.mark.parametrize("column", ["query", "photo_id", "caption", "credit", "verdict"])
def test_what_others_wrote_is_escaped(column: str) -> None:
    """Names, captions and credits come from strangers."""
    page = write([match(**{column: f"{SCRIPT}\" onload='x'"})])
    assert "<script" not in page
    assert "alert(" in page
    assert "\" onload='x'" not in page


def test_reasons_titles_and_facts_are_escaped() -> None:
    """A reason quotes a file name, the facts a path."""
    file = io.StringIO()
    write_page([[no_match(reason=SCRIPT)]], file, read=lambda uri: b"", title=SCRIPT, facts=SCRIPT)
    page = file.getvalue()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 4  # the title stands in the head too


def test_a_photo_that_cannot_be_read_leaves_a_note() -> None:
    """A missing file and one that is no photo: the rest of the page is there."""

    def read(uri: str) -> bytes:
        if uri == "gone.jpg":
            raise InputNotFoundError("gone")
        return b"not a photo"

    page = write([match(query="gone.jpg")], [match(query="later.jpg")], read=read)
    assert page.count("photo not readable") == 4
    assert "data:image" not in page
    assert "later.jpg" in page


def test_a_query_without_a_match_says_why() -> None:
    """Status and reason stand in the place of matches."""
    page = write([no_match(status="not_matchable", reason="blank: one flat colour")])
    assert "not matchable" in page
    assert "blank: one flat colour" in page


def pictures(page: str) -> list[Image.Image]:
    """Returns every picture of a page."""
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"jpeg;base64,([^\"]+)", page)]


def test_decoded_matches_stand_below_their_photos(tmp_path: Path) -> None:
    """Each match has its own, the n-th query's by the n-th name, drawn in the shape of the photo; the page says what
    it is."""
    for query, level in ((1, 40), (3, 200)):
        picture = Image.fromarray(np.full((16, 16), level, np.uint8))
        picture.save(tmp_path / f"{query:06}-01.png")
    answers = [[match()], [no_match()], [match()]]
    page = write(*answers, decoded=tmp_path)
    assert page.count("decoded from its vector") == 3
    shown = pictures(page)
    assert [one.size for one in shown] == [(96, 64)] * 7
    assert [np.asarray(shown[number]).mean().round() for number in (2, 6)] == [40, 200]
    assert "decoded from its vector" not in write(*answers)


def test_a_decoded_match_is_shown_when_its_photo_is_gone(tmp_path: Path) -> None:
    """The index still knows what it looked like; without the photo's shape it stays square."""
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "000001-01.png")
    page = write([match()], read=lambda uri: b"gone", decoded=tmp_path)
    assert page.count("photo not readable") == 2
    assert [one.size for one in pictures(page)] == [(16, 16)]


def test_only_the_best_matches_are_shown() -> None:
    """A page stays readable: the files of the other formats hold the rest."""
    answers = [match(rank=rank, photo_id=f"photo-{rank}.", first_seen_at=None) for rank in range(1, 10)]
    page = write(answers)
    shown = [answer.photo_id for answer in answers if f">{answer.photo_id}</div>" in page]
    assert shown == [f"photo-{rank}." for rank in range(1, SHOWN_MATCHES + 1)]
    assert page.count("date unknown") == SHOWN_MATCHES


def test_the_page_is_streamed() -> None:
    """A query is on the page before the next one is looked up: a page of many photos never lies in memory."""
    file = io.StringIO()

    def answers() -> Iterator[list[Answer]]:
        yield [match(photo_id="first")]
        yield [match(photo_id="second")]
        assert ">first</div>" in file.getvalue()

    write_page(answers(), file, read=lambda uri: b"", title="", facts="")
    assert ">second</div>" in file.getvalue()


@pytest.mark.parametrize("column", ["query", "photo_id", "caption", "credit", "reason"])
def test_marks_of_direction_are_shown_as_a_sign(column: str) -> None:
    """`\u202egpj.exe` would read `exe.jpg`; the joiners that Persian needs stay, and each text finds its own side."""
    made = no_match if column == "reason" else match
    page = write([made(**{column: "\u202egpj.exe\x07 می\u200cخواهم"})])
    assert 'dir="auto">�gpj.exe� می\u200cخواهم</div>' in page
    assert not set(page) & set("\u202e\x07")


def test_quotes_cannot_leave_an_attribute() -> None:
    """Names stand in the description of a picture too."""
    page = write([match(query="a\" onerror='x'", photo_id="b\" onerror='x'")])
    assert page.count("&#34; onerror=&#39;x&#39;") == 4
    assert '" onerror' not in page


def test_a_verdict_is_written_in_words() -> None:
    """Like a status: without the underscore of the contract."""
    assert "1. same scene</span>" in write([match(verdict="same_scene")])
