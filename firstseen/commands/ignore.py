"""Keeps the list of logos, placards and test cards that must not match: ignore add, list, remove."""

import json
from typing import Annotated, Literal

import typer

from firstseen.commands.options import StoreOption
from firstseen.commands.streams import tell

ListFormat = Literal["table", "json"]
LIVE = "live within 60 s everywhere"

ignore = typer.Typer(
    name="ignore", help="Logos, placards and test cards: what shows them does not match by that.", rich_markup_mode=None
)


@ignore.command(short_help="Ignore photos from now on.")
def add(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO…", help="Photos of what must not match.")],
    store: StoreOption,
    why: Annotated[str, typer.Option(help="The reason, which stays on the list.")] = "",
) -> None:
    """Ignore photos: a query of one has no match, and where a query shows one, that part is looked past."""
    from foundation.store.files import Store
    from serving.ignore import ignore_photo, ignored_contents
    from serving.output.display import printable

    opened = Store(store)
    known = ignored_contents(opened)
    for name in photos:
        added = ignore_photo(opened, name, why=why.strip(), known=known)
        number = f"ignored as number {added.number}; {LIVE}" if added else "on the list already"
        tell(f"{printable(name)}: {number}")


@ignore.command("list", short_help="Show what is ignored.")
def show(store: StoreOption, format: Annotated[ListFormat, typer.Option(help="table or json.")] = "table") -> None:
    """Show every entry, oldest first: the photo, since when, and why."""
    from foundation.store.artifact import to_json
    from foundation.store.files import Store
    from foundation.store.ignored import read_ignored
    from serving.output.display import printable

    entries = read_ignored(Store(store))
    if format == "json":
        typer.echo(json.dumps([json.loads(to_json(one)) for one in entries], indent=1, ensure_ascii=False))
        return
    removed = {one.undoes: one.number for one in entries}
    typer.echo("  number  when                       photo")
    for one in entries:
        gone = f"removes {one.undoes}" if one.undoes else "purged"
        what = printable(one.photo.name) if one.photo else gone
        notes = [f"removed by {removed[one.number]}"] if one.number in removed else []
        notes += [printable(one.why)] if one.why else []
        typer.echo(f"  {one.number:6}  {one.created_at:25}  {': '.join([what, *notes])}")


@ignore.command(short_help="Take a photo off the list.")
def remove(
    number: Annotated[int, typer.Argument(help="Number of the entry, as `ignore list` shows it.")],
    store: StoreOption,
    why: Annotated[str, typer.Option(help="The reason, which stays on the list.")] = "",
) -> None:
    """Take a photo off the list: it matches again."""
    from foundation.store.files import Store
    from serving.ignore import stop_ignoring

    made = stop_ignoring(Store(store), number, why=why.strip())
    tell(f"entry {made.number} removes {number}; {LIVE}")
