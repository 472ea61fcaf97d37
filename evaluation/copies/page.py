"""Writes the page of an evaluation from the results that lie in its folder."""

from pathlib import Path

from evaluation.copies import figures, tables
from evaluation.copies.answered import COPY
from evaluation.copies.result import CopiesResult, read_result
from evaluation.page import environment, without_empty_parts, write_files
from evaluation.study.picture import Picture

TITLE = "Edited copies: what is found, what is not, and what it costs"


def write_page(folder: Path) -> None:
    """Writes `README.md`, `index.html` and the charts beside `results.json`; equal results give equal files.

    Raises InputNotFoundError without results, ArtifactRefusedError for damaged ones.
    """
    result = read_result(folder)
    charts = {"recall": figures.recall_by_kind(result.archives[0]), "reliability": figures.reliability(result)}
    write_files(
        folder,
        title=TITLE,
        text=_markdown(result, charts),
        pictures={picture.name: picture.png for picture in charts.values()},
    )


def _markdown(result: CopiesResult, charts: dict[str, Picture]) -> str:
    template = environment("evaluation.copies").get_template("copies.md")
    text = template.render(title=TITLE, result=result, charts=charts, tables=tables, copy=COPY)
    return without_empty_parts(text)
