"""The command line: its verbs, one function each."""

import typer

from firstseen.commands.archive import encode, index
from firstseen.commands.demo import demo
from firstseen.commands.evaluate import study
from firstseen.commands.lookup import lookup
from firstseen.commands.store import rollback, status, verify
from firstseen.commands.train import train

# In the order in which a user meets them.
VERBS = (train, encode, index, lookup, status, verify, rollback, demo, study)


def make_app() -> typer.Typer:
    """Returns the program with all of its verbs."""
    app = typer.Typer(
        help="Tells whether a photo has been seen before, when first, and what was done to it since.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for verb in VERBS:
        app.command()(verb)
    return app
