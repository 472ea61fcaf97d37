"""Keeps queries that no archive had, and tells when one has: watch add, list, remove, check."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from firstseen.commands.options import StoreOption, path
from firstseen.commands.streams import tell
from foundation.errors import FirstseenError
from foundation.wording import number_of

if TYPE_CHECKING:
    from foundation.store.files import Store

ListFormat = Literal["table", "json"]
WatchOutputOption = Annotated[
    Path | None,
    typer.Option(
        "--watch-output",
        parser=path,
        metavar="FILE",
        help="Append what is new of watched queries here; default: stdout.",
    ),
]

watch = typer.Typer(
    name="watch", help="Queries that no archive had: told when an index job brings them.", rich_markup_mode=None
)


@watch.command(short_help="Watch photos from now on.")
def add(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO…", help="Photos to be told of.")],
    store: StoreOption,
    note: Annotated[str, typer.Option(help="Who asks, and why.")] = "",
    keep_photo: Annotated[
        bool, typer.Option("--keep-photo", help="Keep the photo's bytes: for a full lookup, by any encoder.")
    ] = False,
) -> None:
    """Watch photos: what the live snapshot has of them is told now, and what later ones bring, once each."""
    from foundation.store.files import Store
    from serving.output.display import printable
    from serving.queries import read_query
    from serving.watch import watch_photo, watched_contents

    opened = Store(store)
    known = watched_contents(opened)
    added = []
    for name in photos:
        made = watch_photo(opened, name, read_query(name), note=note.strip(), keep_photo=keep_photo, known=known)
        tell(f"{printable(name)}: {f'watched as {made.watch_id}' if made else 'watched already'}")
        added += [made.watch_id] if made else []
    report_watched(opened, None, only=added)


@watch.command("list", short_help="Show what is watched, and what was found of it.")
def show(store: StoreOption, format: Annotated[ListFormat, typer.Option(help="table or json.")] = "table") -> None:
    """Show the watched queries, oldest first, and the photos that were found of each."""
    from foundation.store.files import Store
    from foundation.store.watched import list_watched
    from serving.output.display import printable
    from serving.watch import described

    opened = Store(store)
    watched, damaged = list_watched(opened)
    listed = list(described(opened, watched))
    if format == "json":
        typer.echo(json.dumps(listed, indent=1, ensure_ascii=False))
    for one in listed if format == "table" else ():
        kept = "its photo is kept" if one["keeps_photo"] else "its photo is not kept"
        typer.echo(
            printable("  ".join(filter(None, [one["watch_id"], one["watched_at"], one["query"], one["note"], kept])))
        )
        for found in one["found"]:
            typer.echo(
                printable(f"  snapshot {found['snapshot']}  {found['verdict']}  {found['photo_id']}  {found['uri']}")
            )
    for watch_id, why in damaged.items():
        tell(f"{watch_id} cannot be read: {why}")


@watch.command(short_help="Watch queries no longer.")
def remove(
    watch_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="As `watch list` shows them.")],
    store: StoreOption,
) -> None:
    """Remove watched queries, with all that is kept of them."""
    from foundation.store.files import Store
    from foundation.store.watched import remove_watched

    opened = Store(store)
    for watch_id in watch_ids:
        remove_watched(opened, watch_id)
        tell(f"{watch_id} is watched no longer, and nothing of it is left")


@watch.command(short_help="Look the watched queries up now.")
def check(store: StoreOption, watch_output: WatchOutputOption = None) -> None:
    """Look the watched queries up in the live snapshot, as an index job does that published new photos."""
    from foundation.store.files import Store

    report_watched(Store(store), watch_output, always=True)


def report_watched(store: "Store", output: Path | None, *, only: list[str] | None = None, always: bool = False) -> None:
    """Writes what is new of watched queries as JSON Lines, and tells it in a line each.

    Unless `always`, or `only` some are asked for, nothing is looked up if the last publish brought no photos.
    What goes wrong is told and is no error: what was published stands, and the next check tells what this one did not.
    """
    from serving.output.display import printable
    from serving.watch import brings_photos, check_watched, rows_of

    try:
        if output:
            # Before a lookup that takes minutes, one learns that nothing can be written.
            output.open("a").close()
        if not (always or only is not None or brings_photos(store)):
            return
        for new in check_watched(store, only=only, on_problem=tell):
            rows = rows_of(new.watched, new.found.snapshot, new.found.photos)
            _write([json.dumps(row, ensure_ascii=False) for row in rows], output)
            photos = number_of(len(rows), "photo shows it", "photos show it")
            tell(f"now seen: {printable(new.watched.query)} ({new.watched.watch_id}): {photos}")
    except (FirstseenError, OSError) as error:
        again = f"firstseen watch check --store {shlex.quote(store.uri)}"
        tell(f"the watched queries were not all looked up: {error}; next: {again}", level="warning")


def _write(lines: list[str], output: Path | None) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if output is None:
        typer.echo(text, nl=False)
        return
    with output.open("a", encoding="utf-8") as file:
        file.write(text)
