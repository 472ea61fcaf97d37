"""Measures and compares: study (encoders), evaluate copies (the product)."""

from pathlib import Path
from typing import Annotated

import typer

from firstseen.commands.options import EncoderOption, path
from firstseen.commands.streams import tell
from foundation.errors import UsageError

evaluate = typer.Typer(name="evaluate", help="Measure how well the product does its work.", rich_markup_mode=None)


def study(
    output: Annotated[Path, typer.Option(parser=path, help="Where the page and its pictures are written.")] = Path(
        "docs/study"
    ),
    work_dir: Annotated[
        Path, typer.Option(parser=path, help="Encoders, photos and results; what is finished there is not done again.")
    ] = Path("study"),
    datasets: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset", help="mnist or fashion_mnist, may be given twice; default: both, or none beside --colour."
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(parser=path, help="Where TensorFlow Datasets are prepared.")] = None,
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


# Without a callback Typer would take the only verb of a group for the group itself.
@evaluate.callback()
def _group() -> None:
    pass


@evaluate.command(short_help="Ask for edited copies of photos, and measure what is found.")
def copies(
    photos: Annotated[
        str | None, typer.Option(help="A folder of photos, tar or Parquet files: archive, sources and negatives.")
    ] = None,
    output: Annotated[Path, typer.Option(parser=path, help="Where results, page and pictures are written.")] = Path(
        "docs/copies"
    ),
    work_dir: Annotated[
        Path, typer.Option(parser=path, help="Queries and stores; what is finished there is not made again.")
    ] = Path("copies"),
    distractors: Annotated[
        str | None, typer.Option(metavar="ARCHIVE", help="Ask once more with these photos beside the archive's.")
    ] = None,
    scenes: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="DIR", help="A folder for each scene, with several photographs of it."),
    ] = None,
    made_edits: Annotated[
        Path | None,
        typer.Option(
            parser=path, metavar="DIR", help="Edits that others made: a folder each for original.jpg and edits of it."
        ),
    ] = None,
    store: Annotated[str | None, typer.Option(help="Store of the encoders; default: the one that is shipped.")] = None,
    encoder: EncoderOption = None,
    compare: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Another encoder of the store to compare with.")
    ] = None,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help="Kind of edit; default: all of them.")] = None,
    per_kind: Annotated[int, typer.Option(help="Photos that are edited, of each kind.")] = 30,
    negatives: Annotated[int, typer.Option(help="Photos in no archive, asked edited too; at most half.")] = 1_000,
    pictures: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="DIR", help="Photographs that pictures may show; default: no pictures."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same split and edits.")] = 0,
    page_only: Annotated[bool, typer.Option("--page-only", help="Write the page of the results in --output.")] = False,
) -> None:
    """Ask for edited copies of photos, and measure what is found, what it costs, and what other methods find."""
    try:
        from evaluation.copies.page import write_page
        from evaluation.copies.run import Encoders, evaluate_copies
    except ModuleNotFoundError as error:
        raise UsageError(f"evaluate needs {error.name}, which is not installed; pip install '.[cpu,study]'") from error
    from evaluation.copies.plan import CopiesOptions
    from foundation.store.files import Store

    if not page_only:
        if photos is None:
            raise UsageError("--photos is missing; expected a folder of photos, or --page-only")
        if store is None and (encoder or compare):
            raise UsageError("--encoder and --compare name encoders of a store; expected --store too")
        options = CopiesOptions(
            photos=photos,
            distractors=distractors,
            scenes=scenes,
            made_edits=made_edits,
            pictures=pictures,
            kinds=tuple(kinds or ()),
            per_kind=per_kind,
            negatives=negatives,
            seed=seed,
        )
        encoders = Encoders(Store(store) if store else None, encoder, tuple(compare or ()))
        evaluate_copies(options, encoders, output=output, work_dir=work_dir, tell=tell)
    write_page(output)
    tell(f"next: open {output / 'index.html'} in a browser")
