"""Writes the page of the study, Markdown and HTML with their pictures, from the results alone."""

import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup

from evaluation.study import disturbances, figures_curves, figures_numbers, figures_photos, plan, published, tables
from evaluation.study import measures as m
from evaluation.study.conclusions import conclude
from evaluation.study.findings import find
from evaluation.study.picture import Picture
from evaluation.study.plan import Dataset
from evaluation.study.result import Result
from evaluation.study.studied import Studied, read_studied
from foundation.files import replace_file

TITLE = "Every encoder of the literature, compared"
MARKDOWN, HTML = "README.md", "index.html"
_PICTURE_OF_A_PAGE = re.compile(r"!\[[^\]]*\]\(([\w-]+\.png)\)")


def write_page(results_dir: Path, output: Path, *, datasets: Sequence[Dataset], tell: Callable[[str], None]) -> None:
    """Writes `README.md`, `index.html` and their PNG files into `output`, from `results_dir/<data set>/<entry>/`.

    Equal results give equal files. Each file is replaced as a whole; pictures that only the previous page showed are
    removed. What was not studied is left out, and so is what the plan, `datasets`, names no more or would study
    otherwise: `tell(line)` says what. Raises InputNotFoundError if there are no results, ArtifactRefusedError at a
    damaged one.
    """
    studies = read_studied(results_dir, datasets, tell=tell)
    drawn = {studied.name: _draw(studied) for studied in studies}
    pictures = [picture for sections in drawn.values() for section in sections.values() for picture in section]
    text = _markdown(studies, drawn)
    # Everything is drawn before the first file is written: an error leaves the previous page whole.
    output.mkdir(parents=True, exist_ok=True)
    previous = output / MARKDOWN
    shown_before = set(_PICTURE_OF_A_PAGE.findall(previous.read_text("utf-8"))) if previous.exists() else set()
    for picture in pictures:
        replace_file(output / picture.name, picture.png)
    replace_file(output / MARKDOWN, text.encode())
    replace_file(output / HTML, _html(text).encode())
    for name in sorted(shown_before - {picture.name for picture in pictures}):
        (output / name).unlink(missing_ok=True)


def _draw(studied: Studied) -> dict[str, list[Picture]]:
    """Returns the pictures of a data set by the section that they stand in."""
    return {
        "curves": figures_curves.curve_pictures(studied),
        "losses": _known(figures_numbers.losses(studied)),
        "robustness": _known(figures_numbers.robustness(studied)),
        "photos": figures_photos.photo_pictures(studied),
        "codes": _known(figures_numbers.code_space(studied)),
        "failures": figures_photos.failure_pictures(studied),
    }


def _known(picture: Picture | None) -> list[Picture]:
    return [picture] if picture else []


def _markdown(studies: list[Studied], drawn: dict[str, dict[str, list[Picture]]]) -> str:
    template = _environment().get_template("study.md")
    text = template.render(
        title=TITLE,
        studies=studies,
        findings=find(studies),
        conclusions=conclude(studies),
        drawn=drawn,
        reached=published.reached(studies),
        tables=tables,
        trained=sum(result.kind != "baseline" for studied in studies for result in studied.results),
        training_time=_training_time(studies),
        equal_shares=m.EQUAL_SHARES,
        equal_errors=f"{m.EQUAL_ERRORS:.0%}",
        sampled=_sampled,
        plan=plan,
        best_precision=_best_precision,
        equal_robustness=m.EQUAL_ROBUSTNESS,
        disturbances=disturbances,
    )
    # Parts of the template that are left out leave empty lines behind.
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _training_time(studies: list[Studied]) -> str | None:
    """Returns the time of all trainings together, None before the times of all of them were measured."""
    seconds = [r.training_seconds for studied in studies for r in studied.results if r.kind != "baseline"]
    known = [each for each in seconds if each is not None]
    # Times are measured last: a sum over some trainings would pass for the whole.
    return m.duration(sum(known)) if known and len(known) == len(seconds) else None


def _best_precision(studied: Studied) -> float:
    """Returns the precision@10 of a perfect search."""
    return max(result.retrieval.best_precision_at_10 for result in studied.results)


def _sampled(studied: Studied) -> list[Result]:
    """Returns the entries that were asked fewer queries than the others."""
    most = max(result.retrieval.queries for result in studied.main)
    return [result for result in studied.main if result.retrieval.queries < most]


def _html(markdown: str) -> str:
    """Returns the same page as HTML that stands alone but for its pictures; headings have the ids GitHub gives them."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    environment: dict = {}
    tokens = renderer.parse(markdown, environment)
    for heading, words in itertools.pairwise(tokens):
        if heading.type == "heading_open":  # the words of a heading are the token behind its opening
            heading.attrSet("id", re.sub(r"[^\w\- ]", "", words.content.lower()).replace(" ", "-"))
    body = renderer.renderer.render(tokens, renderer.options, environment)
    # The words of results were escaped by the renderer, which passes no HTML of theirs.
    return _environment().get_template("study.html").render(title=TITLE, body=Markup(body))  # noqa: S704


def _environment() -> Environment:
    loader = PackageLoader("evaluation.study", "templates")
    return Environment(
        loader=loader,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
