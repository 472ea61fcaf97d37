"""Makes, lists and removes the API keys of a service: keys add, list, remove."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from firstseen.commands.options import path
from firstseen.commands.streams import tell
from foundation.errors import UsageError

FileArgument = Annotated[Path, typer.Argument(parser=path, metavar="FILE", help="The file of keys.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is: it stands in the log.")]

keys = typer.Typer(name="keys", help="API keys of a service: who may ask it, and how often.", rich_markup_mode=None)


@keys.command(short_help="Make a key, and show it once.")
def add(
    file: FileArgument,
    name: NameArgument,
    role: Annotated[
        list[str] | None,
        typer.Option(help="search: look up; admin: reload, and read metrics.  [default: search]"),
    ] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(help="Most requests a minute; default: as many as come.")
    ] = None,
    days: Annotated[int | None, typer.Option(help="Days after which it expires; default: never.")] = None,
) -> None:
    """Make a key, and print it: only its digest is kept, so that nobody can show it again."""
    from serving.http.keys import add_key, now, remove_key

    if days is not None and not 1 <= days <= 36_500:
        raise UsageError(f"--days is {days}; expected 1 to 36,500")
    expires_at: datetime | None = now() + timedelta(days=days) if days is not None else None
    secret = add_key(
        file, name, roles=role or ["search"], requests_per_minute=requests_per_minute, expires_at=expires_at
    )
    try:
        typer.echo(secret)
        sys.stdout.flush()
    except OSError:
        # Nobody has seen it: it would only stand in the way of the next one of the name.
        remove_key(file, name)
        raise
    tell(f"this is the key of {name}; it is shown once: keep it. Next: firstseen serve --keys {file}")


@keys.command("list", short_help="Show whose keys there are.")
def show(file: FileArgument) -> None:
    """Show the names of the keys, what each may do, how often, and until when."""
    from serving.http.keys import now, read_keys

    found = read_keys(file)
    if not found:
        tell(f"{file} holds no key: nobody is answered. Next: firstseen keys add {file} NAME")
    for key in found:
        rate = f"{key.requests_per_minute:,} a minute" if key.requests_per_minute else "as often as it likes"
        until = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "for ever"
        typer.echo(f"{key.name}  {', '.join(key.roles)}  {rate}  {'expired' if key.is_expired(now()) else until}")


@keys.command(short_help="Remove a key: it is refused from then on.")
def remove(file: FileArgument, name: NameArgument) -> None:
    """Remove a key; a service that uses the file refuses it at once."""
    from serving.http.keys import remove_key

    remove_key(file, name)
    tell(f"the key of {name} is removed")
