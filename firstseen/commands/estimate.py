"""Says what a re-index will do and cost, before anything is spent: estimate."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstseen.commands.archive_options import (
    ArchiveArgument,
    CatalogOption,
    CheckOption,
    DataDirOption,
    ExcludeOption,
    FeaturesOption,
    IncludeOption,
)
from firstseen.commands.options import EncoderOption, StoreOption, options_of, path
from firstseen.commands.streams import tell

if TYPE_CHECKING:
    from pipelines.encode.plan import EncodeOptions


def estimate(
    archive: ArchiveArgument,
    store: StoreOption,
    encoder: EncoderOption = None,
    catalog: CatalogOption = None,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    data_dir: DataDirOption = None,
    features: FeaturesOption = "local",
    check: CheckOption = "stat",
    machines: Annotated[int, typer.Option(help="Machines like this one that will share the work.")] = 1,
    prices: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="FILE", help="What things cost: a copy of infra/prices.json, filled in."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a re-index would do, and what it would take; nothing is written."""
    from pipelines.encode.plan import EncodeOptions

    options = options_of(EncodeOptions, locals())
    print_estimate(options, machines=machines, prices=prices, as_json=as_json)
    tell(f"next: {reindex_command(options)}")


def reindex_command(options: "EncodeOptions") -> str:
    """Returns the command that does what these options estimate: another selection would cost something else."""
    given = [("--encoder", options.encoder), ("--catalog", options.catalog), ("--data-dir", options.data_dir)]
    given += [("--include", pattern) for pattern in options.include]
    given += [("--exclude", pattern) for pattern in options.exclude]
    given += [("--features", options.features)] if options.features != "local" else []
    given += [("--check", options.check)] if options.check != "stat" else []
    words = [word for name, value in given if value for word in (name, str(value))]
    return shlex.join(["firstseen", "reindex", options.archive, "--store", options.store, *words])


def print_estimate(
    options: "EncodeOptions", *, machines: int = 1, prices: Path | None = None, as_json: bool = False
) -> None:
    """Lists the archive, encodes a sample, and prints what came of it."""
    from firstseen.commands.progress import ProgressLine
    from foundation.store.artifact import to_json
    from pipelines.reindex.estimate import describe, read_prices
    from pipelines.reindex.estimate import estimate as estimate_reindex

    costs = read_prices(prices) if prices else None
    with ProgressLine("listing") as progress:
        found = estimate_reindex(options, prices=costs, machines=machines, on_listed=progress.show_listed)
    typer.echo(to_json(found).decode().rstrip() if as_json else "\n".join(describe(found)))
