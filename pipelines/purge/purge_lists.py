"""Takes purged photos out of the desk's own lists: what is ignored, what is watched, and what was found of that."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.ignored import IGNORED, Ignored, read_ignored, thumbnail_path
from foundation.store.watched import WATCHED, found_by_path, list_watched, remove_watched, watched_directory
from pipelines.purge.file_traces import has_trace
from pipelines.purge.leftovers import quiet
from pipelines.purge.traces import Purged


def purge_lists(store: Store, purged: Purged) -> None:
    """Empties the entries that name what is purged; a query that is a purged photo itself is watched no longer."""
    _purge_ignored(store, purged)
    contents = {content.hex() for content in purged.contents}
    for watched in list_watched(store)[0]:
        if watched.content_sha256 in contents:
            remove_watched(store, watched.watch_id)
            continue
        for path, found in found_by_path(store, watched.watch_id).items():
            left = [one for one in found.photos if not purged.was_found(one)]
            if len(left) < len(found.photos):
                _replace(store, path, replace(found, photos=left))
    for watch_id in undescribed_watched(store):
        directory = watched_directory(watch_id)
        if any(has_trace(store, f"{directory}/{name}", purged, ()) for name in store.files(directory)):
            remove_watched(store, watch_id)


def undescribed_watched(store: Store) -> list[str]:
    """Returns the ids of watched queries without a description that can be read: damaged ones, and unfinished ones."""
    described = {one.watch_id for one in list_watched(store)[0]}
    others = [watch_id for watch_id in store.directories(WATCHED) if watch_id not in described]
    # A directory without a file is what a removal that was cut off leaves behind.
    return [watch_id for watch_id in others if store.files(watched_directory(watch_id))]


def _purge_ignored(store: Store, purged: Purged) -> None:
    contents = {content.hex() for content in purged.contents}
    entries = read_ignored(store)
    gone = [one for one in entries if one.photo and one.photo.content_sha256 in contents]
    for one in gone:
        _empty(store, one)
    named = {thumbnail_path(one.photo) for one in entries if one.photo and one not in gone}
    mine = {thumbnail_path(one.photo) for one in gone if one.photo}
    store.delete(sorted(mine - named))
    # An entry is written after its thumbnail: one that no entry names may be of any photo, or is about to be named.
    still = quiet(file for file in store.walk() if file.path.startswith(f"{IGNORED}/") and file.path.endswith(".jpg"))
    store.delete([path for path in still if path not in named])


def _empty(store: Store, entry: Ignored) -> None:
    # The list has no gaps: an entry without a photo takes the place of this one.
    _replace(store, f"{IGNORED}/{entry.number}.json", replace(entry, photo=None))


def _replace(store: Store, path: str, description: Any) -> None:
    """Writes over a file at once, as nothing else does: a list with a gap would be refused."""
    with tempfile.TemporaryDirectory(prefix="firstseen-") as folder:
        local = Path(folder, "entry.json")
        local.write_bytes(artifact.to_json(description))
        store.upload(path, local)
