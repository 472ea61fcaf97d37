"""Takes purged photos out of the desk's own lists: what is ignored, what is watched, and what was found of that."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.ignored import IGNORED, Ignored, read_ignored, thumbnail_path
from foundation.store.watched import list_watched, read_found, remove_watched, watched_directory
from pipelines.purge.traces import Purged


def purge_lists(store: Store, purged: Purged) -> None:
    """Empties the entries that name what is purged; a query that is a purged photo itself is watched no longer."""
    contents = {content.hex() for content in purged.contents}
    entries = read_ignored(store)
    gone = [one for one in entries if one.photo and one.photo.content_sha256 in contents]
    kept = {thumbnail_path(one.photo) for one in entries if one.photo and one not in gone}
    for one in gone:
        _empty(store, one)
    store.delete(sorted({thumbnail_path(one.photo) for one in gone if one.photo} - kept))
    for watched in list_watched(store)[0]:
        if watched.content_sha256 in contents:
            remove_watched(store, watched.watch_id)
            continue
        for found in read_found(store, watched.watch_id):
            left = [one for one in found.photos if not purged.was_found(one)]
            if len(left) < len(found.photos):
                path = f"{watched_directory(watched.watch_id)}/found-{found.snapshot}.json"
                _replace(store, path, replace(found, photos=left))


def _empty(store: Store, entry: Ignored) -> None:
    # The list has no gaps: an entry without a photo takes the place of this one.
    _replace(store, f"{IGNORED}/{entry.number}.json", replace(entry, photo=None))


def _replace(store: Store, path: str, description: Any) -> None:
    """Writes over a file at once, as nothing else does: a list with a gap would be refused."""
    with tempfile.TemporaryDirectory(prefix="firstseen-") as folder:
        local = Path(folder, "entry.json")
        local.write_bytes(artifact.to_json(description))
        store.upload(path, local)
