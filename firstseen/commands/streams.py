"""What a command says, and where: data to stdout, everything for people to stderr."""

import typer


def tell(line: str) -> None:
    """Prints one line for a person: to stderr, since stdout carries data only."""
    typer.echo(line, err=True)
