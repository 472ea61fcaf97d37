"""The table: what a person sees in a terminal, in a pipe and in a file."""

import io
import os
import tracemalloc
from collections.abc import Iterator

import pytest

from serving.answers import Answer
from serving.output.display import columns_of
from serving.output.formats import write_answers
from serving.output.table import write_table
from tests.builders import match, no_match

HOSTILE = "a\rb\nc\td\x00e\x1b[31m\x07\"',;é写真😀\u2028\u202e"
LONG = "2023/" + "assignments/" * 20 + "DSC_0042.jpg"


class Terminal(io.StringIO):
    """A terminal that remembers what it was sent."""

    def isatty(self) -> bool:
        """Returns that it is one."""
        return True


def table(answers: list[list[Answer]], *, file: io.StringIO | None = None) -> list[str]:
    """Returns the lines of a table, in a pipe unless a file is given."""
    file = file or io.StringIO()
    write_table(answers, file)
    return file.getvalue().splitlines()


@pytest.fixture(params=[80, 200])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The width of the terminal."""
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


def test_the_table_as_it_is() -> None:
    """Verdict, score and date first; copies before what is only similar; a query stands above its matches."""
    words = "a crop of 54 % of the photo"
    answers = [
        [
            match(query="in/写真.jpg", verdict="identical", score=1.0, occurrences=12, claim="contradicted"),
            match(rank=2, verdict="recoloured", first_seen_at=None, photo_id="b"),
            match(rank=3, verdict="edited", description=words, claim="contradicted", first_seen_basis="captured"),
            match(rank=4, verdict="same_scene", photo_id="d"),
            match(rank=10, score=0.5004),
        ],
        [no_match(query="new.jpg", reason="not in this archive")],
        [match(query="near.jpg", status="no_match", reason="not in this archive", score=0.31)],
        [match(query="old.jpg", first_seen_basis="captured")],
        [no_match(query="white.jpg", status="not_matchable", reason="blank: one flat colour")],
    ]
    assert table(answers) == [
        "  verdict     score  first seen  copies  rank  photo",
        "",
        "in/写真.jpg",
        "  identical   1.000  1970-01-02      12     1  a/photo.jpg",
        "              contradicts the claimed date: the archive published it earlier",
        "  recoloured  0.750  unknown          2     2  b",
        "  edited      0.750  1970-01-02       2     3  a/photo.jpg",
        f"              {words}; date captured; contradicts the claimed date: the archive published it earlier",
        "  only similar, no proof of a copy:",
        "  same_scene  0.750  1970-01-02       2     4  d",
        "  similar     0.500  1970-01-02       2    10  a/photo.jpg",
        "",
        "new.jpg",
        "  no_match    not in this archive",
        "",
        "near.jpg",
        "  no_match    not in this archive",
        "  only similar, no proof of a copy:",
        "  similar     0.310  1970-01-02       2     1  a/photo.jpg",
        "",
        "old.jpg",
        "  only similar, no proof of a copy:",
        "  similar     0.750  1970-01-02       2     1  a/photo.jpg",
        "              date captured",
        "",
        "white.jpg",
        "  not_matchable  blank: one flat colour",
    ]


def test_the_table_shows_matches_and_reasons(capsys: pytest.CaptureFixture) -> None:
    """A query is named once, its matches follow; without a match the status and the reason stand there."""
    first = [match(), match(rank=2, photo_id="b", score=0.1234567, first_seen_at=None, occurrences=1)]
    write_answers([first, [no_match(reason="no photo scores 0.5 or more")]], name="table", output=None)
    out = capsys.readouterr().out
    assert out.count("query.jpg") == 1
    assert "1970-01-02" in out
    assert "unknown" in out
    assert "0.750" in out
    assert "no_match" in out
    assert "no photo scores 0.5 or more" in out


def test_the_table_cannot_rewrite_a_terminal(capsys: pytest.CaptureFixture) -> None:
    """Escape sequences, carriage returns and direction marks in names and reasons are shown as a sign."""
    row = {"query": HOSTILE, "photo_id": HOSTILE, "verdict": "[bold]similar[/bold]", "description": HOSTILE}
    write_answers([[match(**row)], [no_match(reason=HOSTILE)]], name="table", output=None)
    out = capsys.readouterr().out
    assert not set(out) & set("\r\t\x00\x1b\x07\u2028\u202e")
    assert "[bold]similar[/bold]" in out


def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    """Long names lose their middle, wide letters count twice; beginning and end stay."""
    lines = table([[match(query=LONG, photo_id="写" * 300)], [match(query="q.jpg", photo_id=LONG)]], file=Terminal())
    assert max(map(columns_of, lines)) == columns
    assert [lines[2][:5], lines[2][-12:], lines[-1][-12:]] == ["2023/", "DSC_0042.jpg", "DSC_0042.jpg"]


def test_a_narrow_terminal_folds_rather_than_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where three letters would remain of a name, its line is longer than the terminal."""
    monkeypatch.setenv("COLUMNS", "50")
    lines = table([[match(photo_id="2023/09/photo-000001.jpg", verdict="cropped")]], file=Terminal())
    assert lines[3].endswith("2023/09/photo-000001.jpg")


def test_a_pipe_gets_every_name_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow the terminal is: `grep` must find what it looks for."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = table([[match(query=LONG, photo_id=LONG, verdict="cropped")]])
    assert lines[2] == LONG
    assert lines[3].endswith(f" {LONG}")


def test_no_queries_give_the_header() -> None:
    """An empty batch is a table with columns and without rows."""
    assert len(table([])) == 1


def test_the_table_is_streamed() -> None:
    """Each query stands there before the next is looked up, however long the names to come."""
    file = io.StringIO()

    def answers() -> Iterator[list[Answer]]:
        yield [match(query="first")]
        assert "first" in file.getvalue()
        yield [match(query=LONG)]

    write_table(answers(), file)
    assert LONG in file.getvalue()


def test_ten_thousand_answers_take_no_memory() -> None:
    """What was written is forgotten; a table that waits for its widest name would hold all of it."""
    with open(os.devnull, "w") as file:
        tracemalloc.start()
        write_table(([match(rank=rank) for rank in range(1, 11)] for _ in range(1_000)), file)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 2**20
