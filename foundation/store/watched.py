"""CONTRACT: watched queries, the desk's own photos that no archive had, kept until one has.

`watched/<id>/` holds what a later lookup needs, described by a JSON that is written last. It is no part of the chain of
digests, and goes when the query is no longer watched: a list of questions is the desk's, and not the archive's.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from foundation.errors import ArtifactRefusedError, FirstseenError, InputNotFoundError, PublishRaceLostError
from foundation.store import artifact
from foundation.store.artifact import Files, Timestamp
from foundation.store.files import Store

if TYPE_CHECKING:  # `status` counts watched queries, and starts without NumPy
    import numpy as np

WATCHED = "watched"
DESCRIPTION = "watched.json"
# Keypoints as shards have them, uint16 [n, 4], and RootSIFT descriptors, uint8 [n, 128]: mirrored and inverted views
# are made of these, and cannot be made of compressed ones.
FEATURES = "features.npz"
# The photo, small, a JPEG: without any pixels few crops could be proved.
FRAME = "frame.jpg"
PHOTO = "photo"
# So many checks of one snapshot can each find something that those before did not.
ATTEMPTS = 1_000


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One watched query: its name, whoever asks and why, its content, full size and the frame of its features.

    Its files are its features, a small frame and, if it was asked for, the bytes of the photo.
    """

    __pydantic_config__: ClassVar = artifact.CONTRACT

    watch_id: str
    created_at: Timestamp
    query: str
    note: str
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    width: int
    height: int
    frame_width: int
    frame_height: int
    feature_rule: int
    files: Files
    contract_version: int = 1

    @property
    def keeps_photo(self) -> bool:
        """Whether the bytes of the photo are kept."""
        return PHOTO in self.files


@dataclass(frozen=True, kw_only=True)
class FoundPhoto:
    """One photo of the archives that shows a watched query; times are ISO 8601.

    `archive` is the URI of its archive, empty where a segment names none. It was added within version 1.
    """

    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    photo_id: str
    uri: str
    verdict: str
    score: float
    first_seen_at: str | None
    archive: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was new to a watched query in one snapshot."""

    __pydantic_config__: ClassVar = artifact.CONTRACT

    watch_id: str
    snapshot: int
    created_at: Timestamp
    photos: list[FoundPhoto]
    contract_version: int = 1


def watched_directory(watch_id: str) -> str:
    """Returns the path of a watched query in the store."""
    return f"{WATCHED}/{watch_id}"


def add_watched(store: Store, watched: Watched, held: Mapping[str, bytes]) -> Watched:
    """Writes a watched query with its files, by their names, and returns its description."""
    directory = watched_directory(watched.watch_id)
    for name, data in held.items():
        store.create(f"{directory}/{name}", data)
    files = {name: artifact.FileRecord(len(data), artifact.digest_of(data)) for name, data in held.items()}
    described = replace(watched, files=files)
    artifact.finish(store, f"{directory}/{DESCRIPTION}", described)
    return described


def list_watched(store: Store) -> tuple[list[Watched], dict[str, str]]:
    """Returns the watched queries, oldest first, and of each that cannot be read why; unfinished ones are neither."""
    watched, damaged = [], {}
    for watch_id in store.directories(WATCHED):
        path = f"{watched_directory(watch_id)}/{DESCRIPTION}"
        try:
            if store.exists(path):
                watched.append(artifact.read(store, path, Watched)[0])
        except FirstseenError as error:
            damaged[watch_id] = str(error)
    return watched, damaged


def read_watched_file(store: Store, watched: Watched, name: str) -> bytes:
    """Returns one file of a watched query; raises ArtifactRefusedError if it is damaged, or missing."""
    path = f"{watched_directory(watched.watch_id)}/{name}"
    data = store.read(path) if store.exists(path) else b""
    if artifact.digest_of(data) != watched.files[name].sha256:
        problem = "damaged" if data else "missing or empty"
        remedy = f"`firstseen watch remove {watched.watch_id}`, and add it again"
        raise ArtifactRefusedError(f"{path} is {problem}; {remedy}")
    return data


def pack_features(keypoints: "np.ndarray", descriptors: "np.ndarray") -> bytes:
    """Returns packed keypoints, uint16 [n, 4], and descriptors, uint8 [n, 128], as the bytes of FEATURES."""
    import numpy as np

    file = io.BytesIO()
    np.savez(file, keypoints=keypoints, descriptors=descriptors)
    return file.getvalue()


def unpack_features(data: bytes) -> "tuple[np.ndarray, np.ndarray]":
    """Returns what `pack_features` packed."""
    import numpy as np

    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return arrays["keypoints"], arrays["descriptors"]


def remove_watched(store: Store, watch_id: str) -> None:
    """Removes a watched query, what was found of it too; raises InputNotFoundError if there is none of that id."""
    directory = watched_directory(watch_id)
    names = store.files(directory) if watch_id in store.directories(WATCHED) else []
    if not names:
        raise InputNotFoundError(f"no watched query {watch_id}; `firstseen watch list` shows them")
    # Its description first: without one nothing is looked up.
    names.sort(key=lambda name: name != DESCRIPTION)
    store.delete([f"{directory}/{name}" for name in names])
    store.remove_directories([directory])


def record_found(store: Store, found: Found) -> None:
    """Keeps what was found, beside what an earlier check of the same snapshot found.

    Raises PublishRaceLostError if others record all the time.
    """
    data = artifact.to_json(found)
    for again in range(ATTEMPTS):
        # What an earlier check could not see, for it was ignored or retracted, is found by a later one.
        name = f"found-{found.snapshot}.json" if not again else f"found-{found.snapshot}-{again}.json"
        if store.create(f"{watched_directory(found.watch_id)}/{name}", data):
            return
    raise PublishRaceLostError(f"others look watched query {found.watch_id} up at the same time; run again")


def read_found(store: Store, watch_id: str) -> list[Found]:
    """Returns what was found of a watched query so far, by snapshot."""
    return sorted(found_by_path(store, watch_id).values(), key=lambda one: one.snapshot)


def found_by_path(store: Store, watch_id: str) -> dict[str, Found]:
    """Returns what was found of a watched query by the file of the store that says so; a snapshot may have several."""
    directory = watched_directory(watch_id)
    names = [name for name in store.files(directory) if name.startswith("found-") and name.endswith(".json")]
    return {path: artifact.read(store, path, Found)[0] for path in (f"{directory}/{name}" for name in names)}


def found_contents(found: Sequence[Found]) -> frozenset[bytes]:
    """Returns the contents (32 bytes each) that were found: they are reported once."""
    return frozenset(bytes.fromhex(photo.content_sha256) for one in found for photo in one.photos)
