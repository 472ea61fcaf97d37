"""Tests looking photos up: queries from everywhere, answers in every format, decoded matches."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from firstseen.commands.running import run
from foundation.store.files import Store
from serving.answers import SCHEMA
from tests.builders import add_encoder, add_run, unit_vectors
from tests.conftest import REPOSITORY, Desk
from tests.firstseen.desk import one_error_line, photo_of


def test_every_format_holds_the_same_answers(live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture):
    """CSV, JSON, JSON Lines and Parquet agree row by row; the page and the table name the match."""
    command = ["lookup", photo_of(live_desk), "--store", str(live_desk.store), "--top-k", "3", "--similar", "--format"]
    found = {}
    for name in ("jsonl", "json", "csv", "table"):
        assert run([*command, name]) == 0
        found[name] = capsys.readouterr().out
    for name in ("parquet", "html"):
        assert run([*command, name, "--output", str(tmp_path / name)]) == 0
    rows = [json.loads(line) for line in found["jsonl"].splitlines()]
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert list(rows[0]) == SCHEMA.names
    assert json.loads(found["json"]) == rows
    assert [row["photo_id"] for row in csv.DictReader(io.StringIO(found["csv"]))] == [row["photo_id"] for row in rows]
    table = parquet.read_table(tmp_path / "parquet")
    assert table.schema.equals(SCHEMA)
    assert table["photo_id"].to_pylist() == [row["photo_id"] for row in rows]
    for text in (found["table"], (tmp_path / "html").read_text()):
        assert rows[0]["photo_id"] in text
        assert "identical" in text


def test_queries_come_from_stdin_and_inventories(
    live_desk: Desk, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """`-` reads one path per line; the inventory of a run names every photo of its archive."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{photo_of(live_desk, 1)}\n\n{photo_of(live_desk, 2)}\n"))
    command = ["--store", str(live_desk.store), "--top-k", "1", "--format", "jsonl"]
    assert run(["lookup", "-", *command]) == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == ["identical"] * 2
    (inventory,) = live_desk.store.glob("embeddings/*/*/inventory.parquet")
    assert run(["lookup", str(inventory), *command]) == 0
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == ["identical"] * 10


def test_a_store_of_another_encoder_is_refused(desk: Desk, capsys: pytest.CaptureFixture):
    """An encoder that was swapped under a live snapshot answers nothing."""
    path = next(desk.store.glob("encoders/*/encoder.json"))
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    assert run(["lookup", photo_of(desk), "--store", str(desk.store)]) == 5
    assert "digest" in one_error_line(capsys)


def test_an_output_file_is_replaced_only_by_a_whole_one(desk: Desk, tmp_path: Path):
    """A lookup that fails leaves the answers of last time."""
    output = tmp_path / "answers.csv"
    command = ["lookup", photo_of(desk), "--store", str(desk.store), "--format", "csv", "--output", str(output)]
    assert run(command) == 0
    before = output.read_bytes()
    shutil.rmtree(desk.store / "segments")
    assert run(command) == 4
    assert output.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".answers*")] == []


def test_decode_writes_a_picture_per_match(live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture):
    """The answers on stdout are the same bytes as without it; decoded.csv names the file of each."""
    command = ["lookup", photo_of(live_desk), photo_of(live_desk, 4), "--store", str(live_desk.store), "--top-k", "3"]
    command += ["--similar"]
    assert run([*command, "--format", "jsonl"]) == 0
    plain = capsys.readouterr().out
    assert run([*command, "--format", "jsonl", "--decode", str(tmp_path / "new")]) == 0
    decoded = capsys.readouterr()
    assert decoded.out == plain
    assert f"{tmp_path / 'new'} holds the matches" in decoded.err
    with (tmp_path / "new" / "decoded.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    keys = ("query", "rank", "photo_id")
    answers = [json.loads(line) for line in plain.splitlines()]
    assert [[row[key] for key in keys] for row in rows] == [[str(row[key]) for key in keys] for row in answers]
    assert {row["file"] for row in rows} == {path.name for path in (tmp_path / "new").glob("*.png")}
    assert len(rows) == 6


def test_decode_shows_in_the_page(live_desk: Desk, tmp_path: Path):
    """A decoded picture beside the query's and the match's."""
    page = tmp_path / "page.html"
    command = ["lookup", photo_of(live_desk), "--store", str(live_desk.store), "--top-k", "1", "--output", str(page)]
    assert run([*command, "--decode", str(tmp_path / "new")]) == 0
    assert page.read_text().count('src="data:image/webp') == 3


def test_evidence_has_a_page_per_copy(live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture):
    """The answers on stdout are the same bytes as without it, and the page of answers links to each of them."""
    command = ["lookup", photo_of(live_desk), photo_of(live_desk, 4), "--store", str(live_desk.store), "--top-k", "2"]
    assert run([*command, "--format", "jsonl"]) == 0
    plain = capsys.readouterr().out
    assert run([*command, "--format", "jsonl", "--evidence", str(tmp_path / "proof")]) == 0
    printed = capsys.readouterr()
    assert printed.out == plain
    copies = [row for row in map(json.loads, plain.splitlines()) if row["verdict"] == "identical"]
    names = sorted(path.name for path in (tmp_path / "proof").glob("*.html"))
    assert names == ["000001-01.html", "000002-01.html", "index.html"]
    assert f"{tmp_path / 'proof'} holds the evidence of 2 copies; open index.html there" in printed.err
    record = json.loads((tmp_path / "proof" / "000002-01.json").read_text())
    assert record["photo"]["photo_id"] == copies[1]["photo_id"]
    assert record["query"]["sha256"] == record["photo"]["sha256"]
    page = ["--output", str(tmp_path / "page.html"), "--evidence", str(tmp_path / "again")]
    assert run([*command, *page]) == 0
    assert 'href="again/000002-01.html"' in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(("claimed", "claim"), [("2024-05-01", "contradicted"), ("2010-01-01", "not_contradicted")])
def test_a_claimed_date_is_compared_with_the_archive(
    live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture, claimed: str, claim: str
):
    """The photo was published on the first day of 2010; answers, table, page and record say the same."""
    command = ["lookup", photo_of(live_desk), "--store", str(live_desk.store), "--top-k", "1"]
    command += ["--claimed-date", claimed]
    assert run([*command, "--format", "jsonl", "--evidence", str(tmp_path / "proof")]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["verdict"], row["claim"]) == ("identical", claim)
    assert json.loads((tmp_path / "proof" / "000001-01.json").read_text())["claim"] == claim
    assert run(command) == 0
    assert ("contradicts the claimed date" in capsys.readouterr().out) == (claim == "contradicted")
    assert run([*command, "--output", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert ("Contradicts the claimed date" in page) == (claim == "contradicted")
    assert f"claimed date 1 {'May 2024' if claim == 'contradicted' else 'January 2010'}" in page


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--claimed-date", "yesterday"], "--claimed-date is 'yesterday'; expected a date or a time"),
        (["--effort", "most"], "effort is 'most'; expected one of: full, fast"),
    ],
)
def test_options_are_checked_before_anything_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture, flags: list[str], words: str
):
    """The store has nothing to look up in."""
    Store(tmp_path / "store", create=True)
    assert run(["lookup", "a.jpg", "--store", str(tmp_path / "store"), *flags]) == 2
    assert words in one_error_line(capsys)


@pytest.mark.parametrize(
    ("folder", "code", "words"),
    [
        ("{used}", 2, "is not empty"),
        ("{store}/new", 2, "lies in the store"),
        ("{archive}/new", 2, "would be looked up"),
        ("/nowhere/new", 4, "/nowhere does not exist"),
    ],
)
def test_a_decode_folder_is_refused_before_anything_is_looked_up(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture, folder: str, code: int, words: str
):
    """One line, no answers, no files; a folder of queries named by its URI is the same folder."""
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine.txt").write_text("mine")
    place = folder.format(used=used, store=desk.store, archive=desk.archive)
    output = tmp_path / "answers.csv"
    before = sorted(path for root in (tmp_path, desk.archive) for path in root.rglob("*"))
    queries = ["lookup", desk.archive.as_uri(), "--store", str(desk.store), "--output", str(output)]
    assert run([*queries, "--decode", place]) == code
    assert words in one_error_line(capsys)
    assert sorted(path for root in (tmp_path, desk.archive) for path in root.rglob("*")) == before


def test_decode_without_a_decoder_is_exit_code_2(live_desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture):
    """Known from the description alone: the encoder made here has no model that could be loaded."""
    made = Store(tmp_path / "made", create=True)
    add_run(made, add_encoder(made, dimension=8), "run1", unit_vectors(20, 8))
    assert run(["index", "--store", str(tmp_path / "made")]) == 0
    capsys.readouterr()
    command = ["lookup", photo_of(live_desk), "--store", str(tmp_path / "made"), "--decode", str(tmp_path / "new")]
    assert run(command) == 2
    assert "has no decoder" in one_error_line(capsys)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["https://host/a.jpg", "s3://bucket/a.jpg", "x" * 300, "x/" * 3_000 + "x.jpg"])
def test_a_name_that_leads_nowhere_does_not_end_a_list(
    live_desk: Desk, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
):
    """One rejected answer, and the others are answered."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{name}\n{photo_of(live_desk)}\n"))
    assert run(["lookup", "-", "--store", str(live_desk.store), "--top-k", "1", "--format", "jsonl"]) == 0
    printed = capsys.readouterr()
    first, second = (json.loads(line) for line in printed.out.splitlines())
    assert (first["query"], first["status"], second["verdict"]) == (name, "rejected", "identical")
    assert "2 queries: 1 matched, 1 rejected" in printed.err


def test_a_path_that_is_too_long_is_one_rejected_answer(live_desk: Desk, capsys: pytest.CaptureFixture):
    """As an argument, too; and one query is counted in the singular."""
    command = ["--store", str(live_desk.store), "--top-k", "1", "--format", "jsonl"]
    assert run(["lookup", "x" * 300, photo_of(live_desk), *command]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "File name too long" in first["reason"]
    assert second["verdict"] == "identical"
    assert run(["lookup", photo_of(live_desk), *command]) == 0
    assert "1 query: 1 matched" in capsys.readouterr().err


def test_a_reader_of_a_table_that_goes_away_is_no_error(live_desk: Desk):
    """Rich ends the process in its own way, which is told from a library that gives up."""
    command = [sys.executable, "-m", "firstseen", "lookup", photo_of(live_desk), "--store", str(live_desk.store)]
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(command, cwd=REPOSITORY, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")
