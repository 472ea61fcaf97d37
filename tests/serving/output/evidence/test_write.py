"""The folder of evidence: a page and a record per copy, whole files only, an index that comes last, safe names."""

import errno
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serving.match.claim import parse_claimed_date
from serving.match.match import Match, Outcome
from serving.output.evidence import write
from serving.output.evidence.write import write_evidence
from tests.builders import snapshot
from tests.evidence import made_match
from tests.serving.output.evidence.desk import copy_of, query_in


def outcome(folder: Path, *matches: Match, query: str | None = None) -> Outcome:
    """Returns what a query came to."""
    name = query_in(folder) if query is None else query
    return Outcome(name, "matched" if matches else "no_match", matches=matches)


def written(folder: Path, *outcomes: Outcome, **changes: Any) -> list[str]:
    """Writes the evidence, and returns the names of the files."""
    assert list(write_evidence(outcomes, folder=folder, snapshot=snapshot(4), **changes)) == list(outcomes)
    return sorted(os.listdir(folder)) if folder.exists() else []


def test_each_copy_has_a_page_and_a_record(tmp_path: Path):
    """Named by the number of the query and the rank; what is only similar has none, but counts."""
    matches = copy_of(tmp_path), made_match("b", verdict="similar"), copy_of(tmp_path, "c")
    names = written(tmp_path / "new", outcome(tmp_path), outcome(tmp_path, *matches))
    assert names == ["000002-01.html", "000002-01.json", "000002-03.html", "000002-03.json", "index.html"]
    records = [json.loads((tmp_path / "new" / name).read_text()) for name in names if name.endswith("json")]
    assert [record["photo"]["photo_id"] for record in records] == ["a.jpg", "c.jpg"]
    index = (tmp_path / "new" / "index.html").read_text()
    assert re.findall(r'href="([^"]*)"', index) == ["000002-01.html", "000002-03.html"]
    page = (tmp_path / "new" / "000002-01.html").read_text()
    assert re.findall(r'href="([^"]*)"', page) == ["index.html", "000002-01.json", "000002-03.html"]


def test_without_a_copy_nothing_is_written(tmp_path: Path):
    """Not even the folder; every outcome passes."""
    similar = outcome(tmp_path, made_match(verdict="same_scene"))
    assert written(tmp_path / "new", similar, Outcome("a.jpg", "rejected", "empty_file")) == []


def test_the_index_says_what_was_found(tmp_path: Path):
    """Snapshot and claimed date above; since when, the verdict and the contradiction with each copy."""
    folder = tmp_path / "new"
    match = copy_of(tmp_path, description="a mirrored crop")
    written(folder, outcome(tmp_path, match), claimed=parse_claimed_date("2024-05-01"))
    index = (folder / "index.html").read_text()
    for text in (
        "Snapshot 4 of 2024-05-31",
        "claimed date 1 May 2024",
        "first published 4 January 1970",
        "cropped · 0.970",
        "A mirrored crop.",
        "Contradicts the claimed date",
    ):
        assert text in index
    assert index.count("data:image/jpeg") == 2
    assert index.rstrip().endswith("</html>")


def test_names_of_strangers_name_no_file(tmp_path: Path):
    """Whatever a photo or a query is called, files have numbers; the index shows the name, escaped."""
    match = copy_of(tmp_path)
    match.photo["photo_id"] = "../../<script>x</script>"
    names = written(tmp_path / "new", outcome(tmp_path, match, query="../<script>/../x\u202e"))
    assert names == ["000001-01.html", "000001-01.json", "index.html"]
    assert sorted(os.listdir(tmp_path)) == ["a.jpg", "new"]
    for name in names:
        assert name.endswith("json") or "<script>x" not in (tmp_path / "new" / name).read_text()


def test_a_photo_is_read_once_for_all_of_its_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The query of a collage is decoded once; photos are read by the function that is handed in."""
    queries: list[str] = []
    read_query = write.read_query
    monkeypatch.setattr(write, "read_query", lambda name: queries.append(name) or read_query(name))
    photos: list[str] = []
    read = write.read_archive
    matches = copy_of(tmp_path), copy_of(tmp_path, "b")
    asked = outcome(tmp_path, *matches)
    written(tmp_path / "new", asked, read_photo=lambda uri: photos.append(uri) or read(uri))
    assert queries == [asked.query]
    assert photos == [match.photo["uri"] for match in matches]


def test_evidence_is_streamed(tmp_path: Path):
    """The first query's page is there before the second is looked up, the index not yet."""
    folder = tmp_path / "new"

    def outcomes() -> Iterator[Outcome]:
        yield outcome(tmp_path, copy_of(tmp_path))
        assert (folder / "000001-01.html").exists()
        assert not (folder / "index.html").exists()

    assert len(list(write_evidence(outcomes(), folder=folder, snapshot=snapshot(4)))) == 1
    assert (folder / "index.html").exists()


def test_an_interruption_leaves_whole_pages_and_no_index(tmp_path: Path):
    """Without its index the folder says of itself that it is not finished."""
    one = outcome(tmp_path, copy_of(tmp_path))
    stream = write_evidence([one, one], folder=tmp_path / "new", snapshot=snapshot(4))
    next(stream)
    stream.close()
    assert sorted(os.listdir(tmp_path / "new")) == ["000001-01.html", "000001-01.json"]


def test_a_full_disk_leaves_no_torn_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The error names the file that could not be written; neither it nor the index stays."""

    def full(record: dict, file: Any, **_: Any) -> None:
        file.write("{")
        raise OSError(errno.ENOSPC, "No space left on device", "record")

    monkeypatch.setattr(write.json, "dump", full)
    with pytest.raises(OSError, match="No space left on device"):
        written(tmp_path / "new", outcome(tmp_path, copy_of(tmp_path)))
    assert os.listdir(tmp_path / "new") == ["000001-01.html"]


def test_a_query_that_is_gone_still_has_its_page(tmp_path: Path):
    """It was found when it was there; its record has no digest."""
    gone = replace(outcome(tmp_path, copy_of(tmp_path)), query=str(tmp_path / "gone.jpg"))
    written(tmp_path / "new", gone)
    assert "cannot be read any more" in (tmp_path / "new" / "000001-01.html").read_text()
    assert json.loads((tmp_path / "new" / "000001-01.json").read_text())["query"]["sha256"] is None
