"""Goes the whole way once, by the commands that a user would type: demo."""

import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from firstseen.commands.options import FlinkMasterOption, path
from firstseen.commands.streams import tell
from foundation.errors import TooManyRejectsError
from pipelines.runners.names import FLINK


def demo(
    archive: Annotated[
        Path | None,
        typer.Option(parser=path, help="A folder of photos; default: one made from photos of scikit-image."),
    ] = None,
    directory: Annotated[Path, typer.Option(parser=path, help="Where everything is written.")] = Path("demo"),
    flink_master: FlinkMasterOption = None,
) -> None:
    """Go the whole way once on a small archive: encode, index, look up, and write pages."""
    from firstseen.demo.prepare import prepare_demo

    paths = prepare_demo(directory, archive=archive)
    store = str(paths.store)
    tell(f"an archive of photos lies in {paths.archive}, edited copies of some in {paths.queries}")
    tell("the whole way follows, command by command, as you would type them")
    started = time.monotonic()
    catalog = ["--catalog", str(paths.catalog)] if paths.catalog else []
    runner = ["--runner", FLINK, "--flink-master", flink_master] if flink_master else []
    step("firstseen", "encode", str(paths.archive), "--store", store, *catalog, *runner)
    # So few photos would be searched exactly; the demo shows the approximate search that a large archive gets.
    step("firstseen", "index", "--store", store, "--exact-below", "100", *runner)
    step("firstseen", "lookup", str(paths.queries), "--store", store, *runner)
    page = ["--format", "html", "--output", str(paths.page), "--evidence", str(paths.evidence)]
    step("firstseen", "lookup", str(paths.queries), "--store", store, *page)
    tell("the name of a query says what was done to which photo, so you can tell which were found, and judged rightly")
    tell(f"done in {time.monotonic() - started:.0f} s; open {paths.page} in a browser")
    tell(f"next: firstseen lookup PHOTO --store {shlex.quote(store)}")


def step(*command: str) -> None:
    """Shows a command as a user would type it, and runs it in this process: TensorFlow is loaded once."""
    from firstseen.commands.running import run

    tell(f"\n$ {shlex.join(command)}")
    code = run(list(command[1:]))
    if code not in (0, TooManyRejectsError.exit_code):
        raise typer.Exit(code)
