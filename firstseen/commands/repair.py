"""Mends a store: repair."""

import shlex
from typing import Annotated

import typer

from firstseen.commands.archive_options import ExactBelowOption, MemoryLimitOption, MinRecallOption
from firstseen.commands.options import StoreOption
from firstseen.commands.streams import tell
from foundation.wording import number_of

PHOTOS_SHOWN = 20


def repair(
    store: StoreOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    min_recall: MinRecallOption = 0.95,
    exact_below: ExactBelowOption = 20_000,
    memory_limit: MemoryLimitOption = None,
) -> None:
    """Build anew what is damaged or missing from what is whole, and name what cannot be."""
    from foundation.store.files import Store
    from pipelines.index.memory import limit_per_worker
    from pipelines.index.plan import IndexOptions
    from pipelines.repair.job import repair as repair_store
    from pipelines.runners.names import LOCAL
    from serving.output.display import printable

    options = IndexOptions(
        min_recall=min_recall,
        exact_below=exact_below,
        memory_limit_bytes=limit_per_worker(memory_limit, runner=LOCAL, workers=1),
    )
    result = repair_store(
        Store(store),
        dry_run=dry_run,
        options=options,
        on_artifact=lambda path: tell(f"checking {path}", path=path),
    )
    for damage in result.damages:
        typer.echo(f"{damage.kind} {damage.name}: {damage}")
    for line in result.done:
        typer.echo(f"{'would: ' if dry_run else ''}{line}")
    for photo in result.still_lost[:PHOTOS_SHOWN]:
        typer.echo(f"left out, it could not be read again: {printable(photo.photo_id)}  {printable(photo.uri)}")
    if len(result.still_lost) > PHOTOS_SHOWN:
        typer.echo(f"and {number_of(len(result.still_lost) - PHOTOS_SHOWN, 'more photo', 'more photos')}")
    if result.snapshot is None:
        typer.echo("nothing is published yet")
    elif not result.done:
        typer.echo(f"snapshot {result.snapshot.number} is whole: nothing to repair")
    elif not dry_run:
        photos = number_of(result.snapshot.photos, "photo", "photos")
        typer.echo(f"snapshot {result.snapshot.number} is live: {result.snapshot.reason}, {photos}")
    verb = "index" if result.waiting else "verify"
    if result.waiting:
        tell(f"the next index takes up {number_of(len(result.waiting), 'run', 'runs')}: {', '.join(result.waiting)}")
    if result.done:
        tell(f"next: firstseen {'repair' if dry_run else verb} --store {shlex.quote(store)}")
