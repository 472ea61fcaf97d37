"""A copy with a known transform, its photo in an archive and its query in a file, for tests of evidence."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foundation.archives.archive import read
from foundation.archives.uris import uri_of
from foundation.photos.thumbnail import thumbnail_jpeg
from serving.match.match import Match
from serving.output.evidence.proof import Proof, original_of, read_picture
from serving.output.pictures import QUERY_SIDE
from tests.builders import snapshot
from tests.evidence import made_evidence, made_match
from tests.photos import jpeg, scene

# The query is a crop of the photo, mirrored, with a banner below: 60 by 40 pixels from column 20 and row 10 on.
PHOTO = scene(3, width=120, height=80)
CROP = PHOTO[10:50, 20:80][:, ::-1]
QUERY = np.vstack([CROP, np.zeros((10, 60, 3), np.uint8)])
TRANSFORM = np.array([[-1, 0, 79], [0, 1, 10], [0, 0, 1]], float)


def copy_of(folder: Path, name: str = "a", **changes: Any) -> Match:
    """Returns a match of a photo that is written into the folder; `changes` are those of `made_match`."""
    path = folder / f"{name}.jpg"
    path.write_bytes(jpeg(PHOTO, quality=95))
    columns = {
        "uri": uri_of(path),
        "content_sha256": hashlib.sha256(path.read_bytes()).digest(),
        "width": 120,
        "height": 80,
    }
    evidence = changes.pop("evidence", made_evidence(TRANSFORM, is_mirrored=True))
    thumbnail = changes.pop("thumbnail", thumbnail_jpeg(path.read_bytes(), max_side=60))
    return made_match(name, photo=columns, evidence=evidence, thumbnail=thumbnail, **changes)


def query_in(folder: Path, name: str = "query.jpg", pixels: np.ndarray = QUERY) -> str:
    """Writes the query into a folder, and returns its path."""
    (folder / name).write_bytes(jpeg(pixels, quality=95))
    return str(folder / name)


def proof_of(folder: Path, match: Match, **changes: Any) -> Proof:
    """Returns what is known of a match whose photo and query lie in the folder."""
    name = query_in(folder)
    proof = Proof(
        name="000001-01",
        rank=1,
        query_name=name,
        query=read_picture(name, read, side=QUERY_SIDE),
        match=match,
        original=original_of(match, read),
        snapshot=snapshot(4),
    )
    return replace(proof, **changes)
