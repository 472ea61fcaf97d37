"""Puts the verbs together into the command line `firstseen`, one function each."""

import inspect
from collections.abc import Callable
from typing import Annotated, Literal

import typer

from firstseen.commands import logs
from firstseen.commands.archive import encode, index, reindex
from firstseen.commands.demo import demo
from firstseen.commands.estimate import estimate
from firstseen.commands.evaluate import evaluate, study
from firstseen.commands.ignore import ignore
from firstseen.commands.keys import keys
from firstseen.commands.lookup import lookup
from firstseen.commands.purge import purge
from firstseen.commands.repair import repair
from firstseen.commands.retract import retract
from firstseen.commands.serve import serve
from firstseen.commands.store import rollback, status, verify
from firstseen.commands.train import train
from firstseen.commands.upkeep import compact, gc
from firstseen.commands.watch import watch
from foundation.errors import UsageError

# In the order in which a user meets them.
VERBS = (
    *(train, estimate, reindex, encode, index, lookup, serve),
    *(status, verify, repair, rollback, retract, purge, compact, gc, demo, study),
)

# Verbs of several, such as `ignore add`.
GROUPS = (ignore, watch, keys, evaluate)


def make_app() -> typer.Typer:
    """Returns the program with all of its verbs."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback()(firstseen)
    for verb in VERBS:
        # Without a short help Typer makes one, and cuts it off at the end of the line.
        app.command(short_help=summary(verb))(verb)
    for group in GROUPS:
        app.add_typer(group, short_help=group.info.help)
    return app


def summary(verb: Callable[..., None]) -> str:
    """Returns the first line of a verb's docstring."""
    return (inspect.getdoc(verb) or "").partition("\n")[0]


def show_version(wanted: bool) -> None:
    """Prints the version that is installed, and ends."""
    if not wanted:
        return
    from importlib import metadata

    try:
        typer.echo(f"firstseen {metadata.version('firstseen')}")
    except metadata.PackageNotFoundError as error:
        raise UsageError("firstseen is not installed, so it has no version; pip install '.[cpu]'") from error
    raise typer.Exit


def firstseen(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    log_format: Annotated[
        Literal["text", "json"],
        # What runs a command has read it before: an error of the command line itself is told in this format, too.
        typer.Option(logs.OPTION, envvar=logs.VARIABLE, help="Lines on stderr: text, or one JSON object each."),
    ] = "text",
) -> None:
    """Tells whether a photo has been seen before, when first, and what was done to it since."""
