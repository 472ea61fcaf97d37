"""Measures and compares encoders: study."""

from pathlib import Path
from typing import Annotated

import typer

from firstseen.commands.streams import tell
from foundation.errors import UsageError


def study(
    output: Annotated[Path, typer.Option(help="Where the page and its pictures are written.")] = Path("docs/study"),
    work_dir: Annotated[
        Path, typer.Option(help="Encoders, photos and results; what is finished there is not done again.")
    ] = Path("study"),
    datasets: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset", help="mnist or fashion_mnist, may be given twice; default: both, or none beside --colour."
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where TensorFlow Datasets are prepared.")] = None,
    colour: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="SOURCE TEST_SOURCE", help="Colour photographs too, as train --source takes them."),
    ] = None,
    page_only: Annotated[bool, typer.Option("--page-only", help="Write the page of what was studied so far.")] = False,
) -> None:
    """Train, evaluate and compare every encoder of the literature; about two hours on two cores."""
    try:
        from evaluation.study.page import write_page
        from evaluation.study.run import study as run_study
    except ModuleNotFoundError as error:
        raise UsageError(f"the study needs {error.name}, which is not installed; pip install '.[cpu,study]'") from error
    from evaluation.study.plan import every_dataset, plan
    from evaluation.study.workplace import Workplace
    from firstseen.commands.epoch_line import EpochLine

    workplace = Workplace(work_dir, data_dir)
    planned = plan(datasets or [], colour)
    if not page_only:
        output.mkdir(parents=True, exist_ok=True)  # refused now, not after hours
        run_study(planned, workplace, tell=tell, make_line=EpochLine)
    write_page(workplace.results, output, datasets=every_dataset(), tell=tell)
    tell(f"next: open {output / 'index.html'} in a browser")
