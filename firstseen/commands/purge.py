"""Removes every byte of photos from a store: purge."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from firstseen.commands.options import ArchiveOption, StoreOption
from firstseen.commands.retract import confirm, withdraw
from firstseen.commands.streams import tell
from foundation.errors import InputNotFoundError, UsageError
from foundation.wording import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foundation.store.files import Store
    from foundation.store.retractions import RetractedPhoto


def purge(
    photo_ids: Annotated[list[str], typer.Argument(metavar="PHOTO_ID…", help="Photos, by their photo_id.")],
    store: StoreOption,
    why: Annotated[str, typer.Option(help="The reason, which stays on the list of retractions.")],
    archive: ArchiveOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove every byte of photos, and prove it: what remains is their name and hash on the list of retractions."""
    from foundation.archives.archive import address_of
    from foundation.store.files import Store
    from pipelines.purge.job import purge as purge_store

    if not why.strip():
        raise UsageError("no reason was given; expected --why TEXT: it stays on the list of retractions")
    opened = Store(store)
    photos = photos_to_purge(opened, photo_ids, archive=address_of(archive) if archive else None)
    show_and_confirm(photos, yes=yes)
    withdraw(opened, photos, why=why.strip())
    result = purge_store(opened, photos)
    tell(
        f"{number_of(result.contents, 'content', 'contents')} purged: {result.runs.rewritten:,} files of runs written "
        f"anew, {number_of(result.segments, 'segment', 'segments')} built anew or removed"
    )
    if result.snapshots:
        tell(f"older snapshots that held it are gone: {', '.join(map(str, result.snapshots))}")
    for run_id in result.runs.removed:
        tell(f"run {run_id}, which was cut off, is gone: the next encode of its archive begins anew")
    typer.echo(f"{result.files_read:,} files read: no trace")
    tell("delete the photo from its archive, too: each run that lists it notes its name, as rejected")
    tell(f"next: firstseen verify --store {shlex.quote(store)}")


def photos_to_purge(store: "Store", photo_ids: "Sequence[str]", *, archive: str | None) -> "list[RetractedPhoto]":
    """Returns the photos of these names: those on the list of retractions, and those that are live or in any run.

    What is purged is known by the list alone: so an interrupted purge is taken up.
    """
    from foundation.store.retractions import retracted_photos
    from serving.retract import photos_named, require_one_archive

    known = [one for one in retracted_photos(store) if archive in (None, one.archive)]
    found: set[RetractedPhoto] = set()
    for photo_id in dict.fromkeys(photo_ids):
        listed = {one for one in known if one.photo_id == photo_id}
        try:
            found |= {*listed, *photos_named(store, [photo_id], archive=archive)}
        except InputNotFoundError:
            if not listed:
                raise
            found |= listed
    for photo_id in photo_ids:
        require_one_archive(photo_id, found)
    return sorted(found, key=lambda one: (one.archive, one.photo_id, one.content_sha256))


def show_and_confirm(photos: "Sequence[RetractedPhoto]", *, yes: bool) -> None:
    """Shows what is to go and asks; raises UsageError unless somebody agrees."""
    from serving.output.display import printable

    for photo in photos:
        typer.echo(f"{printable(photo.photo_id)}  {printable(photo.archive)}  SHA-256 {photo.content_sha256}")
    if not yes:
        what = number_of(len(photos), "photo", "photos")
        confirm(f"purge {what}, and the older snapshots that hold them? It cannot be taken back.", done="purged")
