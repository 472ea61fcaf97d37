"""The page about one copy: the finding first, both photos outlined and aligned, and nothing that could be run."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foundation.store.occurrences import FirstSeen
from serving.match.claim import parse_claimed_date
from serving.output.evidence.page import page_of
from serving.output.evidence.proof import Original
from serving.output.view import templates
from tests.builders import day
from tests.evidence import made_evidence
from tests.serving.output.evidence.desk import PHOTO, TRANSFORM, copy_of, proof_of

SCRIPT = "<script>alert('x')</script>\u202e\" onload='x'"


def page(folder: Path, match: Any = None, **changes: Any) -> str:
    """Returns the page about a match."""
    proof = proof_of(folder, match or copy_of(folder), **changes)
    return templates().get_template("evidence.html").render(page_of(proof))


def test_the_finding_stands_first(tmp_path: Path):
    """Since when, where, what was done, and the contradiction; then pictures, then facts."""
    match = copy_of(tmp_path, description="a mirrored crop of 54 % of the photo")
    made = page(tmp_path, match, claimed=parse_claimed_date("2024-05-01"))
    order = [
        "<h1>Seen before: first published 4 January 1970</h1>",
        "/a.jpg</div>",
        "A mirrored crop of 54 % of the photo.",
        "Contradicts the claimed date: the archive published it earlier.",
        "data:image/jpeg",
        "1 May 2024: contradicted",
    ]
    places = [made.index(text) for text in order]
    assert places == sorted(places)
    assert "Contradicts" not in page(tmp_path, match, claimed=parse_claimed_date("1960-01-01"))


def test_query_and_photo_are_outlined(tmp_path: Path):
    """The photo goes on behind the banner: all of the query, and the cropped part of the photo."""
    query, photo = re.findall(r'class="over" points="([^"]*)"', page(tmp_path))
    assert set(query.split()) == {"0.00,0.00", "100.00,0.00", "100.00,100.00", "0.00,100.00"}
    assert set(photo.split()) == {"16.67,12.50", "66.67,12.50", "66.67,75.00", "16.67,75.00"}


def test_every_picture_is_in_the_page(tmp_path: Path):
    """It can be sent to somebody as one file, and fetches nothing."""
    evidence = made_evidence(TRANSFORM, difference=np.zeros((40, 60), np.float32))
    made = page(tmp_path, copy_of(tmp_path, evidence=evidence))
    sources = re.findall(r'src="([^"]{22})', made)
    assert sources == ["data:image/jpeg;base64"] * 5
    assert not re.search("https?:", made)
    assert made.count("<script") == 1


@pytest.mark.parametrize(
    ("file", "pixels", "said"),
    [
        ("changed", PHOTO, "The file in the archive has changed since it was indexed: this is the thumbnail"),
        ("unreadable", PHOTO, "The file in the archive cannot be read now: this is the thumbnail"),
        ("unreadable", None, "The file in the archive cannot be read now: the index keeps no picture of it."),
    ],
)
def test_a_photo_that_is_not_the_indexed_file_is_told(tmp_path: Path, file: Any, pixels: Any, said: str):
    """A reader must know what is shown in its place."""
    original = Original(file, pixels, is_thumbnail=pixels is not None)
    assert said in page(tmp_path, original=original)
    assert '<p class="note"' not in page(tmp_path)


def test_the_same_bytes_need_no_comparison(tmp_path: Path):
    """The digests say it all."""
    made = page(tmp_path, copy_of(tmp_path, evidence=None, verdict="identical"))
    assert "The same file, byte for byte." in made
    assert "Both files have the same SHA-256" in made
    assert "Laid over each other" not in made


def test_a_query_that_is_gone_leaves_a_note(tmp_path: Path):
    """The rest of the page is there."""
    made = page(tmp_path, query=None)
    assert "The query cannot be read any more." in made
    assert "Photo of the archive" in made


@pytest.mark.parametrize("column", ["photo_id", "uri", "caption", "credit"])
def test_columns_of_strangers_cannot_run(tmp_path: Path, column: str):
    """Escaped, and without marks of direction."""
    match = copy_of(tmp_path)
    match.photo[column] = SCRIPT
    made = page(tmp_path, match, original=Original("unreadable", None))
    assert "&lt;script&gt;" in made
    assert made.count("<script") == 1
    assert "\" onload='x'" not in made
    assert "\u202e" not in made


def test_names_and_descriptions_cannot_run(tmp_path: Path):
    """The query's name, the words of the verdict, and where the photo was first seen."""
    match = copy_of(tmp_path, description=SCRIPT, seen=FirstSeen(day(1), SCRIPT, 1))
    made = page(tmp_path, match, query_name=SCRIPT, siblings=[("000001-02", match)])
    assert made.count("&lt;script&gt;") >= 6
    assert made.count("<script") == 1
    assert "\" onload='x'" not in made
    assert "\u202e" not in made


def test_a_capture_time_is_no_publication(tmp_path: Path):
    """Anybody can set it: the headline says seen, not published, and a claim is not judged by it."""
    match = copy_of(tmp_path, seen=FirstSeen(day(1), "file:///a.jpg", 1, basis="captured"))
    made = page(tmp_path, match, claimed=parse_claimed_date("2024-05-01"))
    assert "Seen before: captured 2 January 1970 (date from the photo’s file)" in made
    assert "1 May 2024: unknown" in made
