"""Withdraws photos from every answer, and shows which ones were: retract."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from firstseen.commands.options import ArchiveOption, StoreOption
from firstseen.commands.streams import tell
from foundation.errors import InputNotFoundError, UsageError
from foundation.wording import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foundation.store.files import Store
    from foundation.store.retractions import RetractedPhoto, Retraction
    from serving.retract import Copy

ListFormat = Literal["table", "json"]
LIVE = "live within 60 s everywhere"


def retract(
    store: StoreOption,
    photo_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="Photos, by their photo_id.")] = None,
    like: Annotated[
        str | None, typer.Option(metavar="PHOTO", help="Retract all copies of this photo, after showing them.")
    ] = None,
    why: Annotated[str | None, typer.Option(help="The reason, which stays on the list.")] = None,
    archive: ArchiveOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --like: do not ask.")] = False,
    undo: Annotated[int | None, typer.Option(metavar="NUMBER", help="Take a retraction back.")] = None,
    as_list: Annotated[bool, typer.Option("--list", help="Show what was retracted, when and why.")] = False,
    format: Annotated[ListFormat | None, typer.Option(help="With --list: table, the default, or json.")] = None,
) -> None:
    """Withdraw photos: no answer names them any more, on any snapshot, and no later run brings them back."""
    from foundation.store.files import Store

    asked = [
        name for name, is_so in (("ID", photo_ids), ("--like", like), ("--undo", undo), ("--list", as_list)) if is_so
    ]
    if len(asked) != 1:
        raise UsageError(f"{' and '.join(asked) or 'nothing'} was given; expected one of: ID…, --like, --undo, --list")
    for name, is_idle, place in (
        ("--why", why is not None and as_list, "ID…, --like or --undo"),
        ("--archive", archive is not None and not photo_ids, "ID…"),
        ("--yes", yes and not like, "--like"),
        ("--format", format is not None and not as_list, "--list"),
    ):
        if is_idle:
            raise UsageError(f"{name} was given with {asked[0]}, where it does nothing; expected it with {place}")
    opened = Store(store)
    if as_list:
        show_list(opened, format or "table")
        return
    reason = (why or "").strip()
    if not reason:
        raise UsageError("no reason was given; expected --why TEXT: it stays on the list of retractions")
    if undo is not None:
        take_back(opened, undo, why=reason)
        return
    photos = choose_copies(opened, like, yes=yes) if like else choose_named(opened, photo_ids or [], archive)
    if not withdraw(opened, photos, why=reason):
        tell(f"nothing to do: {number_of(len(photos), 'photo is', 'photos are')} on the list of retractions already")


def choose_named(store: "Store", photo_ids: "Sequence[str]", archive: str | None) -> "list[RetractedPhoto]":
    """Returns the photos of these names, of the archive if one is given."""
    from foundation.archives.archive import address_of
    from serving.retract import photos_named

    return photos_named(store, photo_ids, archive=address_of(archive) if archive else None)


def choose_copies(store: "Store", like: str, *, yes: bool) -> "list[RetractedPhoto]":
    """Shows all copies of a photo and asks whether to retract them; raises UsageError unless somebody agrees."""
    from serving.retract import copies_of

    copies = copies_of(store, like)
    typer.echo("\n".join(copy_lines(copies)))
    if not yes:
        confirm(f"retract {number_of(len(copies), 'photo', 'photos')}?", done="retracted")
    return [copy.photo for copy in copies]


def copy_lines(copies: "Sequence[Copy]") -> list[str]:
    """Returns a table of copies, for people."""
    from serving.output.display import printable

    lines = ["  verdict     score  first seen  photo"]
    for one in copies:
        seen = f"{one.first_seen_at:%Y-%m-%d}" if one.first_seen_at else "unknown"
        name, uri = printable(one.photo.photo_id), printable(one.uri)
        lines.append(f"  {one.verdict.replace('_', ' '):10}  {one.score:5.3f}  {seen:10}  {name}  {uri}")
    return lines


def confirm(question: str, *, done: str) -> None:
    """Asks on the terminal; raises UsageError, which says that nothing was `done`, unless somebody agrees."""
    if not sys.stdin.isatty():
        raise UsageError(f"nothing was {done}; expected a terminal to confirm it on, or --yes")
    tell(f"{question} [y/N]")
    # Typer's own question takes Ctrl-C for a no, which is told otherwise here.
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError(f"nothing was {done}: it was not confirmed")


def withdraw(store: "Store", photos: "Sequence[RetractedPhoto]", *, why: str) -> bool:
    """Puts photos that are not on the list there, and says so; returns whether there were any."""
    from foundation.store.retractions import add_retraction, retracted_photos

    known = retracted_photos(store)
    new = [photo for photo in photos if photo not in known]
    if new:
        report(add_retraction(store, new, why=why))
    return bool(new)


def report(retraction: "Retraction") -> None:
    """Tells what was put on the list: what, when, why, which contents."""
    from serving.output.display import printable

    photos = number_of(len(retraction.photos), "photo", "photos")
    contents = number_of(len({photo.content_sha256 for photo in retraction.photos}), "content", "contents")
    tell(
        f"retraction {retraction.number} of {retraction.created_at}: {photos} in {contents}, because: "
        f"{printable(retraction.why)}; {LIVE}"
    )
    for photo in retraction.photos:
        tell(f"  {printable(photo.photo_id)}  {printable(photo.archive)}  SHA-256 {photo.content_sha256}")


def take_back(store: "Store", number: int, *, why: str) -> None:
    """Undoes one retraction, also one that nobody can read; raises InputNotFoundError for one that does not count."""
    from foundation.store.retractions import add_retraction, is_damaged

    if not is_damaged(store, number):
        require_standing(store, number)
    made = add_retraction(store, [], why=why, undoes=number)
    tell(f"retraction {made.number} of {made.created_at} undoes {number}, because: {why}; {LIVE}")
    tell("photos that were left out of a run meanwhile come back when their archive is encoded again")


def require_standing(store: "Store", number: int) -> None:
    """Raises InputNotFoundError unless a retraction still counts."""
    from foundation.store.retractions import read_retractions

    known = read_retractions(store)
    undone = {one.undoes for one in known}
    standing = [one.number for one in known if one.photos and one.number not in undone]
    if number not in standing:
        raise InputNotFoundError(
            f"no retraction {number} to undo; expected one of: {', '.join(map(str, standing)) or 'none, there is none'}"
        )


def show_list(store: "Store", format: str) -> None:
    """Prints every retraction, oldest first."""
    from foundation.store.artifact import to_json
    from foundation.store.retractions import read_retractions
    from serving.output.display import printable

    known = read_retractions(store)
    if format == "json":
        typer.echo(json.dumps([json.loads(to_json(one)) for one in known], indent=1, ensure_ascii=False))
        return
    undone = {one.undoes: one.number for one in known}
    typer.echo("  number  when                       photos  why")
    for one in known:
        note = (
            f"undoes {one.undoes}: "
            if one.undoes
            else f"undone by {undone[one.number]}: "
            if one.number in undone
            else ""
        )
        typer.echo(f"  {one.number:6}  {one.created_at:25}  {len(one.photos):6}  {note}{printable(one.why)}")
        for photo in one.photos:
            typer.echo(f"{'':45}{printable(photo.photo_id)}  {printable(photo.archive)}  {photo.content_sha256[:12]}")
