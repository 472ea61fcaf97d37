"""The page: says first what was found, stands alone, escapes what others wrote, and says where a photo is gone."""

import base64
import io
import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from PIL import Image

from foundation.errors import InputNotFoundError
from foundation.photos.thumbnail import encode_thumbnail
from serving.answers import Answer
from serving.match.match import Outcome
from serving.output.page import PAGE_QUERIES, SHOWN_COPIES, SHOWN_SIMILAR, Beside, write_pages
from serving.output.stored import StoredPictures
from tests.builders import day, match, no_match
from tests.evidence import made_match
from tests.photos import jpeg, scene

SCRIPT = "<script>alert('x')</script>"


def write(*answers: list[Answer], read=lambda uri: jpeg(scene(0)), title="Title", facts="Facts", **beside: Any) -> str:
    """Writes a page and returns its text."""
    with TemporaryDirectory() as folder:
        output = Path(folder, "page.html")
        write_pages(answers, output, title=title, facts=facts, beside=Beside(read=read, **beside))
        return output.read_text(encoding="utf-8")


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
    assert f"Seen before : {said}" in text_of(page)
    assert '<p class="alarm">Contradicts the claimed date: the archive published it earlier.</p>' in page
    beside = write([match(verdict="cropped", claim="not_contradicted")])
    assert "Does not contradict the claimed date" in beside
    assert 'class="alarm' not in beside


def test_a_date_that_is_no_publication_is_told_as_weaker() -> None:
    """A capture time is in the file, and anybody can set it."""
    captured = write([match(verdict="cropped", first_seen_basis="captured")])
    assert "Seen before : captured 2 January 1970 (date from the photo’s file)" in text_of(captured)
    assert "Seen before : in the archive, without a date" in text_of(
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
        (
            [no_match(status="rejected", reason="empty_file: x")],
            "Not looked up This file is empty. Save or download the photo again. X.",
        ),
        ([match()], "No proof of a copy Query query.jpg Only similar, no proof of a copy 1. similar score 0.750"),
        (
            [match(status="no_match", verdict="same_scene", reason="not in this archive")],
            "Not in this archive Query query.jpg Only similar, no proof of a copy 1. same scene",
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
    assert re.findall(r'href="([^"#]+)"', page) == ["../proof%20of/000002-01.html"]


def test_a_match_is_shown_with_what_is_known_of_it() -> None:
    """Both pictures, score, verdict, first-seen date, occurrences, caption, credit and source."""
    page = write([match(caption="A harbour", credit="Agency", source="Wire", score=0.912, occurrences=3)])
    assert page.count("data:image/webp;base64,") == 2
    for text in (
        "Title",
        "Facts",
        "query.jpg",
        "a/photo.jpg",
        "0.912",
        "3 January 1970",
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
    assert page.count('src="data:') == 5
    assert page.count("src=") == 5


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
    page = write([no_match(reason=SCRIPT)], title=SCRIPT, facts=SCRIPT)
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
    assert "This photo is one flat colour: there is nothing to know it by. Look for one that shows more." in page
    assert '<p class="soft small finding" dir="auto">One flat colour.</p>' in page


def pictures(page: str) -> list[Image.Image]:
    """Returns every picture of a page, but those of its overview."""
    articles = page[page.index("<article") :]
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"webp;base64,([^\"]+)", articles)]


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


def pages_of(folder: Path, queries: int, *, name: str = "page.html") -> list[str]:
    """Writes pages of so many queries into a folder, and returns the names of all files there, sorted."""
    answers = ([no_match(query=f"query-{number}")] for number in range(1, queries + 1))
    write_pages(answers, folder / name, title="", facts="", beside=Beside(read=lambda uri: b""))
    return sorted(path.name for path in folder.iterdir())


def test_a_hundred_queries_make_a_page(tmp_path: Path) -> None:
    """Further ones are linked in both directions, and numbered on."""
    assert pages_of(tmp_path, 2 * PAGE_QUERIES + 1) == ["page-2.html", "page-3.html", "page.html"]
    first, second, third = ((tmp_path / f"page{part}.html").read_text() for part in ("", "-2", "-3"))
    assert [page.count("<article") for page in (first, second, third)] == [PAGE_QUERIES, PAGE_QUERIES, 1]
    assert [set(re.findall(r'href="([^#"]*)"', page)) for page in (first, second, third)] == [
        {"page-2.html"},
        {"page.html", "page-3.html"},
        {"page-2.html"},
    ]
    assert "Page 2: queries 101 to 200" in text_of(second)
    assert ">query-201</div>" in third


def test_a_hundred_queries_need_no_second_page(tmp_path: Path) -> None:
    """No page is empty, but that of no query."""
    assert pages_of(tmp_path, PAGE_QUERIES) == ["page.html"]
    assert "rel=" not in (tmp_path / "page.html").read_text()
    assert pages_of(tmp_path, 0) == ["page.html"]


def test_pages_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    """Those that are not needed any more go: what they go on from is gone."""
    pages_of(tmp_path, 2 * PAGE_QUERIES + 1)
    assert pages_of(tmp_path, PAGE_QUERIES + 1) == ["page-2.html", "page.html"]


@pytest.mark.parametrize("name", ["a&b.html", "page.html"])
def test_other_files_are_not_replaced(tmp_path: Path, name: str) -> None:
    """Neither a page of another output, nor what is none."""
    other = Path(name).stem + "-2.html"
    pages_of(tmp_path, 1, name=other)
    before = (tmp_path / other).read_bytes()
    for _ in range(2):
        assert pages_of(tmp_path, PAGE_QUERIES + 1, name=name) == sorted([name, other, other.replace("-2", "-page-2")])
    assert (tmp_path / other).read_bytes() == before


def test_pages_appear_when_all_are_written(tmp_path: Path) -> None:
    """An interrupted run leaves what was there before."""

    def answers() -> Iterator[list[Answer]]:
        yield from ([no_match()] for _ in range(2 * PAGE_QUERIES))
        assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["page.html"]
        raise KeyboardInterrupt

    pages_of(tmp_path, 1)
    before = (tmp_path / "page.html").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_pages(answers(), tmp_path / "page.html", title="", facts="", beside=Beside(read=lambda uri: b""))
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_bytes() == before


def test_the_index_says_how_many_came_to_what() -> None:
    """Each query is named below its finding, with a link to it."""
    page = write([match(verdict="cropped")], [no_match()], [no_match()], [no_match(status="rejected")])
    assert "4 queries: 1 seen before, 2 not in this archive, 1 not looked up" in text_of(page)
    assert "dates are in UTC" in page
    assert re.findall(r'href="#query-(\d)"', page) == ["1", "2", "3", "4"]
    assert re.findall(r'id="query-(\d)"', page) == ["1", "2", "3", "4"]


def test_pictures_are_small() -> None:
    """Five thousand queries must not fill a disk, nor one page the memory of a phone; rows have smaller ones yet."""
    page = write([match()], [no_match()], read=lambda uri: jpeg(scene(0, width=2_000, height=1_500)))
    assert [one.size for one in pictures(page)] == [(208, 156)] * 3
    rows = re.findall(r"webp;base64,([^\"]+)", page[: page.index("<article")])
    assert [Image.open(io.BytesIO(base64.b64decode(row))).size for row in rows] == [(56, 42)] * 2
    assert all(len(row) < 2_000 for row in rows)


def test_stored_thumbnails_are_shown_in_place_of_files() -> None:
    """Of the match that was just found: its file may have changed, and lies in a bucket; the query's is read."""
    found = made_match("a", photo={"uri": "file:///a.jpg", "width": 400, "height": 400})
    found = replace(found, thumbnail=encode_thumbnail(scene(1, width=100, height=100)))
    stored = StoredPictures()
    asked: list[str] = []

    def outcomes() -> Generator[Outcome, None, None]:
        yield Outcome("query.jpg", "matched", matches=[found])
        yield Outcome("other.jpg", "matched")

    def read(uri: str) -> bytes:
        asked.append(uri)
        return jpeg(scene(0))

    answers = ([match(query=one.query, uri="file:///a.jpg")] for one in stored.passing(outcomes()))
    with TemporaryDirectory() as folder:
        output = Path(folder, "page.html")
        write_pages(answers, output, title="", facts="", beside=Beside(read=read, stored=stored))
        assert [one.size for one in pictures(output.read_text())] == [(96, 64), (100, 100), (96, 64), (96, 64)]
    assert asked == ["query.jpg", "other.jpg", "file:///a.jpg"]


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
