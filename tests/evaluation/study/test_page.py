"""The page of the study: everything that was studied, nothing that was not, the same for equal results."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.study.page import write_page
from evaluation.study.result import DESCRIPTION, Result
from evaluation.study.studied import Studied, read_studied
from evaluation.study.tables import retrieval_table
from foundation.errors import ArtifactRefusedError, InputNotFoundError
from tests.evaluation.study.made_results import (
    every_result,
    made_baseline,
    made_examples,
    made_plan,
    made_result,
    write_results,
)

PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, Path]:
    """The results of three data sets, and the page of them."""
    results, page = (tmp_path_factory.mktemp("study") / name for name in ("results", "page"))
    colour = made_result("colour", dataset="colour", dimension=512, error=0.0015)
    write_results(results, every_result("mnist"), examples=made_examples())
    write_results(results, every_result("fashion_mnist"))
    write_results(results, [colour], examples=made_examples(size=32, channels=3))
    write(results, page)
    return results, page


def write(results: Path, page: Path) -> list[str]:
    """Writes the page of results by the made plan; returns what was told."""
    told: list[str] = []
    write_page(results, page, datasets=made_plan(), tell=told.append)
    return told


def text_of(tmp_path: Path, *results: Result) -> str:
    """Returns the Markdown of a page of those results."""
    write_results(tmp_path / "results", results)
    write(tmp_path / "results", tmp_path / "page")
    return (tmp_path / "page" / "README.md").read_text()


def test_the_page_holds_every_part(whole: tuple[Path, Path]) -> None:
    """Conclusions, method, published numbers, and for each data set tables and pictures."""
    text = (whole[1] / "README.md").read_text()
    for part in (
        "## Findings",
        "## Question by question",
        "## What was compared, and how",
        "## Published numbers beside",
    ):
        assert part in text
    for part in ("reconstruction and cost", "retrieval", "robustness", "the code space", "where it fails"):
        assert f"### MNIST: {part}" in text
    assert "### Fashion-MNIST: the code space" not in text
    order = ["| what it is |", "## Findings", "## Contents", "## Photographs", "## MNIST", "## Fashion-MNIST"]
    order += ["## Published numbers beside ours", "## What was compared, and how", "## Question by question"]
    places = [text.index(f"\n{part}" if part.startswith("#") else part) for part in order]
    assert places == sorted(places)
    assert "| 0.0020 at 512 (validation) | **0.00150** | **512** |" in text


def test_every_picture_is_there_and_no_other(whole: tuple[Path, Path]) -> None:
    """Each picture has alternative text and a file, and each file is shown; the folder stays small."""
    shown = PICTURE.findall((whole[1] / "README.md").read_text())
    assert all(alt for alt, _ in shown)
    files = {path.name: path.stat().st_size for path in whole[1].iterdir()}
    assert {name for _, name in shown} | {"README.md", "index.html"} == files.keys()
    assert sum(files.values()) < 3_000_000


def test_the_html_page_says_the_same(whole: tuple[Path, Path]) -> None:
    """The same headings, pictures and cells; links of the contents lead to headings."""
    text, html = ((whole[1] / name).read_text() for name in ("README.md", "index.html"))
    assert len(re.findall(r"<h[123]", html)) == len(re.findall(r"^#{1,3} ", text, re.M))
    assert re.findall(r'<img src="([^"]*)"', html) == [name for _, name in PICTURE.findall(text)]
    for anchor in re.findall(r"\]\(#([^)]*)\)", text):
        assert f'id="{anchor}"' in html
    assert html.count("<table>") == len(re.findall(r"^\| ---", text, re.M))
    assert "**" not in html


def test_equal_results_give_an_equal_page(whole: tuple[Path, Path], tmp_path: Path) -> None:
    """Byte for byte, in another folder and over itself."""
    for _ in range(2):
        write(whole[0], tmp_path)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
            path.name: path.read_bytes() for path in whole[1].iterdir()
        }


def test_pictures_of_the_previous_page_are_removed_and_others_kept(tmp_path: Path) -> None:
    """What the user put beside the page stays."""
    page = tmp_path / "page"
    write_results(tmp_path / "results", [made_result("dense"), made_result("dense@16", dimension=16)])
    write(tmp_path / "results", page)
    assert (page / "mse-over-dimension-mnist.png").exists()
    (page / "own.png").write_bytes(b"mine")
    (tmp_path / "results/mnist/dense@16" / DESCRIPTION).unlink()
    write(tmp_path / "results", page)
    assert not (page / "mse-over-dimension-mnist.png").exists()
    assert (page / "own.png").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "result", [made_result("dense"), made_baseline("raw_pixels"), made_result("dense@16", dimension=16)]
)
def test_one_result_is_a_page(tmp_path: Path, result: Result) -> None:
    """One encoder, one baseline, one point of a curve: the rest is left out."""
    text = text_of(tmp_path, result)
    assert "# MNIST" in text
    assert "where it fails" not in text


def test_the_best_of_a_column_is_bold_and_truth_takes_no_part(tmp_path: Path) -> None:
    """Raw pixels find their own neighbours by definition: another entry has the best pixel recall."""
    good, poor, pixels = (
        made_result("dense", precision=0.9),
        made_result("recurrent", precision=0.8),
        made_baseline("raw_pixels"),
    )
    pixels = replace(pixels, retrieval=replace(pixels.retrieval, precision_at_10=0.5, pixel_recall_at_10=1.0))
    rows = {
        line.split(" | ")[1]: line for line in retrieval_table(Studied("mnist", [good, poor, pixels], {})).splitlines()
    }
    assert "**0.900**" in rows[good.title]
    assert "**0.540**" in rows[good.title]
    assert "**" not in rows[poor.title]
    assert " 1.000 " in rows[pixels.title]


def test_entries_come_in_the_order_of_the_list(whole: tuple[Path, Path]) -> None:
    """By number, variants after their entry, curves apart, baselines last."""
    studied = read_studied(whole[0], made_plan(), tell=pytest.fail)
    assert [each.name for each in studied] == ["colour", "mnist", "fashion_mnist"]
    mnist = studied[1]
    numbers = [result.number for result in mnist.encoders]
    assert numbers == sorted(numbers)
    assert [result.kind for result in mnist.main[-6:]] == ["baseline"] * 6
    assert not any("@" in result.entry for result in mnist.main)
    assert [result.dimension for result in mnist.curve("dense")] == [16, 64, 256]


def test_a_search_asked_fewer_queries_is_named(whole: tuple[Path, Path]) -> None:
    """Its numbers are of other queries, so the reader has to know."""
    assert "Only 500 queries were asked of *local features*" in (whole[1] / "README.md").read_text()


def test_an_unreached_number_is_said_to_be_unreached(tmp_path: Path) -> None:
    """The best and its dimension stand in its place."""
    assert "not reached: best 0.00200 | 64 | 4 |" in text_of(tmp_path, made_result("dense", error=0.002))


def test_no_results_are_an_error_with_the_remedy(tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(InputNotFoundError, match="firstseen study"):
        write(tmp_path / "results", tmp_path / "page")
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize("damage", [b"{", b'{"entry": "dense"}'])
def test_a_damaged_result_is_refused_by_name(tmp_path: Path, damage: bytes) -> None:
    """The message says which file to remove."""
    write_results(tmp_path / "results", [made_result("dense")])
    path = tmp_path / "results/mnist/dense" / DESCRIPTION
    path.write_bytes(damage)
    with pytest.raises(ArtifactRefusedError, match=r"mnist/dense/result\.json"):
        write(tmp_path / "results", tmp_path / "page")


def test_a_title_cannot_break_the_page(tmp_path: Path) -> None:
    """HTML in a title stays text."""
    text_of(tmp_path, replace(made_baseline("pca"), title="<script>alert(1)</script>"))
    assert "<script>" not in (tmp_path / "page/index.html").read_text()


@pytest.mark.parametrize("keep", [0, 30])
def test_damaged_examples_are_refused(tmp_path: Path, keep: int) -> None:
    """Half a file of pictures ends with its name and what to do."""
    write_results(tmp_path / "results", [made_result("dense")], examples=made_examples())
    stored = tmp_path / "results" / "mnist" / "dense" / "examples.npz"
    stored.write_bytes(stored.read_bytes()[:keep])
    with pytest.raises(ArtifactRefusedError, match=r"examples\.npz is damaged .*; remove .* and run the study again"):
        write(tmp_path / "results", tmp_path / "page")
