"""Parses command lines of firstseen as the program does, without running them: a renamed flag breaks a schedule."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from firstseen.commands.app import make_app
from firstseen.commands.logs import global_options
from foundation import errors
from foundation.errors import FirstseenError, PublishRaceLostError, TemporaryError

PROGRAM = "/opt/firstseen/bin/firstseen"
# What a scheduler may try again, and what it must not.
RETRIED = {PublishRaceLostError.exit_code, TemporaryError.exit_code}
FINAL = (
    {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FirstseenError)}
    - {0}
    - RETRIED
)


def parse(command: str | Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Returns (verb, its options by name) of a command line, or fails as the program would."""
    program, *arguments = shlex.split(command) if isinstance(command, str) else command
    assert Path(program).name == "firstseen"
    group = typer.main.get_command(make_app())
    context = group.make_context("firstseen", list(arguments))
    _, verb = global_options(arguments)
    found = group.get_command(context, verb)
    assert found, f"no verb {verb!r}"
    rest = list(arguments[list(arguments).index(verb) + 1 :])
    return verb, found.make_context(verb, rest, parent=context).params
