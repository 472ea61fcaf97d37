"""The page: says first what was found, stands alone, escapes what others wrote, and says where a photo is gone."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from foundation.errors import InputNotFoundError
from serving.answers import Answer
from serving.output.page import SHOWN_COPIES, SHOWN_SIMILAR, Beside, write_page
from tests.builders import day, match, no_match
from tests.photos import jpeg, scene

SCRIPT = "<script>alert('x')</script>"


def write(*answers: list[Answer], read=lambda uri: jpeg(scene(0)), **beside: Any) -> str:
    """Writes a page and returns its text."""
    file = io.StringIO()
    write_page(answers, file, title="Title", facts="Facts", beside=Beside(read=read, **beside))
    return file.getvalue()


def text_of(page: str) -> str:
    """Returns what a reader sees of a page, in one line."""
    body = page.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_what_was_found_stands_first() -> None:
    """The verdict, since when, where, and what was done; then the contradiction, in a line of its own."""
    found = {"published_at": day(1), "uri": "file:///first.jpg", "first_seen_uri": "file:///first.jpg"}
    words = "a mirrored crop of 54 % of the photo"
    page = write([match(verdict="cropped", description=words, claim="contradicted", **found)])
    said = "first published 2 January 1970 file:///first.jpg A mirrored crop of 54 % of the photo. Contradicts the"
    assert f"Seen before: {said}" in text_of(page)
    assert '<p class="alarm">Contradicts the claimed date: the archive published it earlier.</p>' in page
    assert 'class="alarm' not in write([match(verdict="cropped", claim="not_contradicted")])


def test_a_date_that_is_no_publication_is_told_as_weaker() -> None:
    """A capture time is in the file, and anybody can set it."""
    captured = write([match(verdict="cropped", first_seen_basis="captured")])
    assert "Seen before: captured 2 January 1970 (date from the photo’s file)" in text_of(captured)
    assert "Seen before: in the archive, without a date" in text_of(
        write([match(verdict="identical", first_seen_at=None)])
    )


def test_the_photos_of_a_collage_are_told_apart() -> None:
    """Two dates are two findings; two copies with one date are one."""
    left, right = {"first_seen_uri": "file:///l.jpg"}, {"first_seen_uri": "file:///r.jpg", "first_seen_at": day(400)}
    copies = [match(verdict="embedded", **left), match(rank=2, verdict="embedded", **left)]
    page = write([*copies, match(rank=3, verdict="embedded", **right)])
    assert (
        "Seen before First published 2 January 1970 file:///l.jpg Embedded. First published 5 February 1971 file:///r.jpg"
        in text_of(page)
    )
    assert page.count('class="finding"') == 2


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (
            [no_match(reason="not in this archive: 12 compared")],
            "Not in this archive 12 compared.",
        ),
        ([no_match(status="rejected", reason="truncated: x")], "Not looked up Truncated: x."),
        ([match()], "No proof of a copy Only similar, no proof of a copy 1. similar 0.750"),
        (
            [match(status="no_match", verdict="same_scene", reason="not in this archive")],
            "Not in this archive Only similar, no proof of a copy 1. same scene",
        ),
    ],
)
def test_what_was_not_found_is_said_as_plainly(answers: list[Answer], said: str) -> None:
    """No match, no use, and nothing but likeness are three answers."""
    assert said in text_of(write(answers)).replace("photo not readable ", "")


def test_what_is_only_similar_stands_below_the_copies() -> None:
    """Under a heading of its own, whatever its score."""
    page = write([match(verdict="cropped", score=0.6), match(rank=2, photo_id="near", score=0.9)])
    assert page.index("a/photo.jpg</div>") < page.index("<h3>Only similar") < page.index("near</div>")


def test_the_parts_that_match_are_outlined() -> None:
    """All of a query that is the photo's left half, and half of the photo; photos of a collage bear their ranks."""
    half = [0.5, 0, -0.25, 0, 1, 0, 0, 0, 1]
    page = write([match(verdict="cropped", transform=half)])
    polygons = re.findall(r'class="over" points="([^"]*)"', page)
    assert [sorted(points.split()) for points in polygons] == [
        ["0.00,0.00", "0.00,100.00", "100.00,0.00", "100.00,100.00"],
        ["0.00,0.00", "0.00,100.00", "50.00,0.00", "50.00,100.00"],
    ]
    assert "</b>" not in page
    assert "<polygon" not in write([match()])


def test_parts_bear_the_ranks_of_their_photos() -> None:
    """Where a query shows several; copies of one part share its label, or they would cover each other."""
    left, right = ([2, 0, shift, 0, 1, 0, 0, 0, 1] for shift in (0, -96))
    parts = enumerate([left, right, left], 1)
    page = write([match(rank=rank, verdict="embedded", transform=part) for rank, part in parts])
    assert re.findall(r"<b style[^>]*>([^<]*)</b>", page) == ["1, 3", "2"]


def test_a_copy_links_to_its_evidence() -> None:
    """By the number of its query and its rank; what is only similar has no such page."""
    page = write([no_match()], [match(verdict="cropped"), match(rank=2)], evidence="../proof%20of")
    assert re.findall(r'href="([^"]*)"', page) == ["../proof%20of/000002-01.html"]


def test_a_match_is_shown_with_what_is_known_of_it() -> None:
    """Both pictures, score, verdict, first-seen date, occurrences, caption, credit and source."""
    page = write([match(caption="A harbour", credit="Agency", source="Wire", score=0.912, occurrences=3)])
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
        "Wire",
        "3 copies in the archive",
    ):
        assert text in page


def test_the_page_stands_alone() -> None:
    """It fetches nothing: no address of another machine or file is in it."""
    page = write([match(uri="file:///archive/x.jpg")], [no_match()])
    assert "http:" not in page
    assert "https:" not in page
    assert page.count('src="data:') == 3
    assert page.count("src=") == 3


@pytest.mark.parametrize(
    "column", ["query", "photo_id", "caption", "credit", "verdict", "description", "first_seen_uri"]
)
def test_what_others_wrote_is_escaped(column: str) -> None:
    """Names, captions and credits come from strangers."""
    page = write([match(**{"verdict": "cropped", column: f"{SCRIPT}\" onload='x'"})])
    assert "<script" not in page
    assert "alert(" in page
    assert "\" onload='x'" not in page


def test_reasons_titles_and_facts_are_escaped() -> None:
    """A reason quotes a file name, the facts a path."""
    file = io.StringIO()
    write_page([[no_match(reason=SCRIPT)]], file, title=SCRIPT, facts=SCRIPT, beside=Beside(read=lambda uri: b""))
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
    assert "Cannot be matched" in page
    assert "Blank: one flat colour." in page


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
    """A page stays readable: the files of the other formats hold the rest, and the page says so."""
    copies = [match(rank=rank, verdict="cropped", photo_id=f"copy-{rank}.") for rank in range(1, 15)]
    similar = [match(rank=rank, photo_id=f"photo-{rank}.") for rank in range(15, 22)]
    answers = [*copies, *similar]
    page = write(answers)
    shown = [answer for answer in answers if f">{answer.photo_id}</div>" in page]
    assert shown == [*copies[:SHOWN_COPIES], *similar[:SHOWN_SIMILAR]]
    assert "5 more are in the other formats" in page


def test_the_page_is_streamed() -> None:
    """A query is on the page before the next one is looked up: a page of many photos never lies in memory."""
    file = io.StringIO()

    def answers() -> Iterator[list[Answer]]:
        yield [match(photo_id="first")]
        yield [match(photo_id="second")]
        assert ">first</div>" in file.getvalue()

    write_page(answers(), file, title="", facts="", beside=Beside(read=lambda uri: b""))
    assert ">second</div>" in file.getvalue()


@pytest.mark.parametrize("column", ["query", "photo_id", "caption", "credit"])
def test_marks_of_direction_are_shown_as_a_sign(column: str) -> None:
    """`\u202egpj.exe` would read `exe.jpg`; the joiners that Persian needs stay, and each text finds its own side."""
    page = write([match(**{column: "\u202egpj.exe\x07 می\u200cخواهم"})])
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
