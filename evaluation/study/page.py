"""Writes the page of the study, Markdown and HTML with their pictures, from the results alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

from evaluation.page import environment, without_empty_parts, write_files
from evaluation.study import disturbances, figures_curves, figures_numbers, figures_photos, plan, published, tables
from evaluation.study import measures as m
from evaluation.study.conclusions import conclude
from evaluation.study.findings import find
from evaluation.study.picture import Picture
from evaluation.study.plan import Dataset
from evaluation.study.result import Result
from evaluation.study.studied import Studied, read_studied

TITLE = "Every encoder of the literature, compared"


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
    # Everything is drawn before the first file is written: an error leaves the previous page whole.
    text = _markdown(studies, drawn)
    write_files(output, title=TITLE, text=text, pictures={picture.name: picture.png for picture in pictures})


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
    template = environment("evaluation.study").get_template("study.md")
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
    return without_empty_parts(text)


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
