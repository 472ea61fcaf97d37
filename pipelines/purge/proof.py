"""Proves that nothing is left of what was purged: goes through every file of a store, whoever lists it."""

import json

from foundation.store.files import Store
from foundation.store.ignored import IGNORED, read_ignored, thumbnail_path
from foundation.store.retractions import RETRACTIONS
from foundation.store.run_paths import EMBEDDINGS, RUN_DESCRIPTION
from foundation.store.segments import SEGMENTS
from foundation.store.unfinished import BEGUN
from pipelines.purge.file_traces import has_trace
from pipelines.purge.traces import Purged


def find_traces(store: Store, purged: Purged) -> tuple[int, list[str]]:
    """Returns (files read, those with a trace), as `has_trace` knows one.

    Encoders name nothing, and are not read. The list of retractions is where the name and the hash of a withdrawn
    photo stay. What else is called like a photo, such as a watched query, is none for that.
    """
    archives: dict[str, str | None] = {}
    read, found = 0, []
    ignored = {thumbnail_path(one.photo) for one in read_ignored(store) if one.photo}
    for file in store.walk():
        if file.path.startswith((f"{RETRACTIONS}/", "encoders/")):
            continue
        verdict = has_trace(store, file.path, purged, _names(store, file.path, purged, archives))
        read += verdict is not None
        # Of which photo a thumbnail is that no entry names is not known to anybody.
        if verdict or (file.path.startswith(f"{IGNORED}/") and file.path.endswith(".jpg") and file.path not in ignored):
            found.append(file.path)
    return read, found


def _names(store: Store, path: str, purged: Purged, archives: dict[str, str | None]) -> set[str]:
    """Returns the photo_ids that a table means purged photos by: those of the archive of its run."""
    parts = path.split("/")
    if parts[0] == SEGMENTS or not path.endswith(".parquet"):
        return set()
    if parts[0] != EMBEDDINGS or len(parts) < 4:
        return {name for _, name in purged.photos}
    directory = "/".join(parts[:3])
    if directory not in archives:
        archives[directory] = _archive(store, directory)
    archive = archives[directory]
    return {name for _, name in purged.photos} if archive is None else purged.names_in(archive)


def _archive(store: Store, directory: str) -> str | None:
    if store.exists(f"{directory}/{RUN_DESCRIPTION}"):
        return str(json.loads(store.read(f"{directory}/{RUN_DESCRIPTION}"))["archive"])
    if store.exists(f"{directory}/{BEGUN}"):
        return str(json.loads(store.read(f"{directory}/{BEGUN}"))["run"]["archive"])
    return None
