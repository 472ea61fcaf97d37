"""Formats: the same answers in each of them, streamed, and a file that appears only when it is whole."""

import csv
import json
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from foundation.errors import InputNotFoundError, UsageError
from serving.answers import SCHEMA, Answer
from serving.output import arrow
from serving.output.formats import FORMATS, check_format, format_of, write_answers
from serving.output.json_file import to_json
from tests.builders import match, no_match
from tests.photos import jpeg, scene

HOSTILE = "a\rb\nc\td\x00e\x1b[31m\x07\"',;é写真😀\u2028\u202e"

ANSWERS = [
    [match(), match(rank=2, photo_id="b", score=0.1234567, similarity=-1.0, first_seen_at=None, occurrences=1)],
    [no_match(reason="no photo scores 0.5 or more")],
    [no_match(status="rejected", reason=HOSTILE)],
    [match(query="100%25 é.jpg", caption=HOSTILE, credit=""), match(rank=2, credit="left\rright")],
]


def read_json(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a JSON file."""
    return json.loads(path.read_text("utf-8"))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a file of JSON lines; only a line feed ends a line."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def read_csv(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a CSV file with the types that the contract gives its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: typed(name, text) for name, text in row.items()} for row in csv.DictReader(file)]


def typed(name: str, text: str) -> Any:
    """Returns one CSV cell as JSON holds it."""
    if name == "transform" or SCHEMA.field(name).type in ("int32", "float"):
        return json.loads(text or "null")
    return text or None


def read_parquet(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a Parquet file as JSON holds them."""
    rows = parquet.read_table(path).to_pylist()
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def plain(value: Any) -> Any:
    """Returns a value with times as text and floats rounded."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return round(value, 6) if isinstance(value, float) else value


READERS = {"json": read_json, "jsonl": read_jsonl, "csv": read_csv, "parquet": read_parquet}


@pytest.mark.parametrize("name", READERS)
def test_every_format_holds_the_same_answers(name: str, tmp_path: Path) -> None:
    """Columns in the contract's order, one row per match, every value back as it was, control characters too."""
    path = tmp_path / f"answers.{name}"
    write_answers(iter(ANSWERS), name=name, output=path)
    expected = [to_json(answer) for one_query in ANSWERS for answer in one_query]
    if name == "csv":  # an absent value and an empty text look the same there
        expected = [{key: None if value == "" else value for key, value in row.items()} for row in expected]
    found = READERS[name](path)
    assert [list(row) for row in found] == [SCHEMA.names] * 6
    assert found == expected


@pytest.mark.parametrize("name", READERS)
def test_no_queries_give_an_empty_file_of_the_format(name: str, tmp_path: Path) -> None:
    """An empty batch is still valid JSON, a header, a table with columns."""
    write_answers([], name=name, output=tmp_path / "empty")
    assert READERS[name](tmp_path / "empty") == []


def test_parquet_is_the_contract_and_is_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Schema and contract version are in the file; many queries never lie in memory together."""
    monkeypatch.setattr(arrow, "BATCH_ROWS", 2)
    write_answers([[no_match(query=str(number))] for number in range(5)], name="parquet", output=tmp_path / "a")
    file = parquet.ParquetFile(tmp_path / "a")
    assert file.schema_arrow.metadata[b"firstseen.contract_version"] == b"1"
    assert file.schema_arrow.names == SCHEMA.names
    assert file.num_row_groups >= 3
    assert file.read()["query"].to_pylist() == ["0", "1", "2", "3", "4"]


def test_answers_are_streamed(capsys: pytest.CaptureFixture) -> None:
    """The first answer is written before the second query is looked up."""

    def answers() -> Iterator[list[Answer]]:
        yield [no_match(query="first")]
        assert "first" in capsys.readouterr().out
        yield [no_match(query="second")]

    write_answers(answers(), name="jsonl", output=None)
    assert "second" in capsys.readouterr().out


def fail_midway() -> Iterator[list[Answer]]:
    """Yields one answer, then fails as a lookup would."""
    yield [match()]
    raise InputNotFoundError("the store went away")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("old", [None, "yesterday's answers"])
def test_a_failure_midway_leaves_what_was_there(name: str, old: str | None, tmp_path: Path) -> None:
    """No half file and no temporary file: the old answers stay untouched, or none appear."""
    path = tmp_path / "answers"
    if old:
        path.write_text(old)
    with pytest.raises(InputNotFoundError, match="the store went away"):
        write_answers(fail_midway(), name=name, output=path)
    assert os.listdir(tmp_path) == (["answers"] if old else [])
    assert not old or path.read_text() == old


@pytest.mark.parametrize("name", FORMATS)
def test_the_file_appears_only_when_it_is_whole(name: str, tmp_path: Path) -> None:
    """While queries are answered, a reader still sees the old file."""
    path = tmp_path / "answers"
    path.write_text("old")

    def answers() -> Iterator[list[Answer]]:
        yield [match()]
        assert path.read_text() == "old"

    write_answers(answers(), name=name, output=path)
    assert path.read_bytes() != b"old"
    assert os.listdir(tmp_path) == ["answers"]


def test_a_file_has_the_rights_the_user_gives_files(tmp_path: Path) -> None:
    """The umask decides, not the temporary file's privacy."""
    before = os.umask(0o027)
    try:
        write_answers(ANSWERS, name="json", output=tmp_path / "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_page_is_written_like_every_other_format(tmp_path: Path) -> None:
    """What the page shows beside the answers is handed in; by default it reads the photos where they lie."""
    (tmp_path / "query.jpg").write_bytes(jpeg(scene(0)))
    answers = [[match(query=str(tmp_path / "query.jpg"))]]
    write_answers(answers, name="html", output=tmp_path / "plain")
    page = (tmp_path / "plain").read_text("utf-8")
    assert "Have we seen these photos before?" in page
    assert page.count('src="data:image/webp') == 1  # the match's photo does not exist
    given = {"read": lambda uri: jpeg(scene(1)), "title": "Harbour desk", "facts": "Snapshot 7"}
    write_answers(answers, name="html", output=tmp_path / "given", **given)
    page = (tmp_path / "given").read_text("utf-8")
    assert "Harbour desk" in page
    assert "Snapshot 7" in page
    assert page.count('src="data:image/webp') == 2


def test_check_format_names_what_is_wrong(tmp_path: Path) -> None:
    """A format is refused before a single lookup, by the check and by the writing alike."""
    for name in FORMATS:
        check_format(name, Path("answers"))
    check_format("table", None)
    with pytest.raises(UsageError, match="format is 'xml'; expected one of: table, json, jsonl, csv, parquet, html"):
        check_format("xml", None)
    for name in ("parquet", "html"):
        with pytest.raises(UsageError, match=f"format {name} goes to a file; add --output FILE"):
            check_format(name, None)
        with pytest.raises(UsageError, match=f"format {name} goes to a file; add --output FILE"):
            write_answers([], name=name, output=None)


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (None, "table"),
        ("a.CSV", "csv"),
        ("a.html", "html"),
        ("csv", "table"),
        ("a.txt", "table"),
    ],
)
def test_the_name_of_a_file_chooses_the_format(output: str | None, name: str) -> None:
    """Its ending counts, in small or capital letters; text is a table."""
    assert format_of(output and Path(output)) == name


@pytest.mark.parametrize("output", ["answers.xlsx", "a.csv.gz"])
def test_a_name_that_ends_in_another_format_is_refused(output: str) -> None:
    """A table in a file that says it is a spreadsheet, nothing could open."""
    with pytest.raises(UsageError, match=r"expected a name that ends in .txt, .json, .jsonl, .csv, .parquet, .html"):
        format_of(Path(output))
