"""Finds the file beside a photo that describes it, XMP or what WebDataset keeps in a shard, and says what it tells."""

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from foundation.archives.photos import Entry
from foundation.photos import metadata
from foundation.photos.dates import parse_date
from foundation.photos.metadata import MAX_XMP_BYTES, GivenMetadata, clean_text

SUFFIX = ".xmp"
ORPHANED, TOO_LARGE = "sidecars without a photo", f"sidecars above {MAX_XMP_BYTES // 1024} KB"


def pair_sidecars(entries: Iterable[Entry], left_out: Counter[str]) -> Iterator[Entry]:
    """Yields the photos of a folder tree in their order, each with its sidecar: `a.xmp` or `a.jpg.xmp` for `a.jpg`.

    The files of a folder come in the order of their names: a sidecar stands near its photo, and only what may still get
    one is held. One that belongs to several photos, as to a raw and its JPEG, is that of each; one without a photo is
    counted in `left_out`.
    """
    held: deque[Entry] = deque()
    waiting: dict[str, _Sidecar] = {}
    for entry in entries:
        while held and _is_past(entry.photo_id, held[0].photo_id):
            yield held.popleft()
        for name in [name for name in waiting if not entry.photo_id.startswith(f"{name}.")]:
            _count_orphan(waiting.pop(name), left_out)
        if not _is_sidecar(entry):
            # In the order of names only `a.XMP` comes before `a.jpg`, never `a.jpg.XMP`.
            before = waiting.get(stem_of(entry.photo_id))
            held.append(before.beside(entry) if before else entry)
        elif entry.size_bytes > MAX_XMP_BYTES:
            left_out[TOO_LARGE] += 1
        else:
            name = entry.photo_id[: -len(SUFFIX)]
            waiting[name] = sidecar = _Sidecar(entry)
            for place, photo in enumerate(held):
                # The sidecar that repeats the whole name of its photo means it alone, and goes before another.
                if photo.photo_id == name or (stem_of(photo.photo_id) == name and not photo.sidecar_uri):
                    held[place] = sidecar.beside(photo)
    yield from held
    for sidecar in waiting.values():
        _count_orphan(sidecar, left_out)


def parse_sidecar(name: str, data: bytes) -> GivenMetadata:
    """Returns what a sidecar of that name, or URI, tells of its photo; nothing of what is broken or too long."""
    if name.lower().endswith(SUFFIX):
        return metadata.read_xmp_sidecar(data)
    if len(data) > MAX_XMP_BYTES:
        return GivenMetadata()
    text = data.decode("utf-8", "replace")
    return _of_json(text) if name.lower().endswith(".json") else GivenMetadata(caption=clean_text(text) or None)


@dataclass
class _Sidecar:
    """A sidecar whose photos may still come."""

    entry: Entry
    is_used: bool = False

    def beside(self, photo: Entry) -> Entry:
        """Returns the photo with this sidecar."""
        self.is_used = True
        return with_sidecar(photo, self.entry)


def _count_orphan(sidecar: _Sidecar, left_out: Counter[str]) -> None:
    if not sidecar.is_used:
        left_out[ORPHANED] += 1


def with_sidecar(photo: Entry, sidecar: Entry) -> Entry:
    """Returns a photo whose sidecar this is."""
    version = f"{sidecar.size_bytes} {sidecar.etag or sidecar.modified_at or ''}"
    return replace(photo, sidecar_uri=sidecar.uri, sidecar_version=version)


def _is_sidecar(entry: Entry) -> bool:
    # A link or a pipe is an entry of its own, whatever it is called: it becomes a reject that says so.
    return entry.photo_id.lower().endswith(SUFFIX) and entry.size_bytes >= 0


def _is_past(name: str, photo_id: str) -> bool:
    """Returns whether no sidecar of a photo can come any more, once a file of that name has come."""
    first = f"{stem_of(photo_id)}."
    return not name.startswith(first) or name > max(f"{first}xmp", f"{photo_id}.xmp")


def stem_of(photo_id: str) -> str:
    """Returns a photo_id without the ending of its name."""
    stem, dot, suffix = photo_id.rpartition(".")
    return stem if dot and "/" not in suffix else photo_id


def _of_json(text: str) -> GivenMetadata:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return GivenMetadata()
    if not isinstance(values, dict):
        return GivenMetadata()
    texts = {key: clean_text(value) or None for key, value in values.items() if isinstance(value, str)}
    return GivenMetadata(
        published_at=parse_date(texts.get("published_at") or ""),
        caption=texts.get("caption"),
        credit=texts.get("credit"),
        source=texts.get("source"),
    )
