"""Calibrates the score of a match on copies, other photographs of a scene, and strangers.

    python -m evaluation.calibrate --photos DIR --made-edits DIR --scenes DIR --output serving/match/calibration.json

It takes about twenty minutes on one core. Copies are made of --photos by the edits that training draws from, and lie
in --made-edits as `firstseen evaluate copies` takes them; each folder under --scenes holds photographs of one scene, no
two of them copies of each other; and strangers are copies compared with other photos. None of these photos may be part
of an evaluation.
"""

import argparse
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from evaluation.copies.made_edits import list_made_edits
from evaluation.examined import archived, asked
from evaluation.parallax import seen_from_aside
from evaluation.regression import Example, fit
from foundation.archives.uris import path_of
from serving.match.calibrate import measures
from serving.match.evidence import Evidence, QueryPhoto, StoredPhoto
from serving.match.verdict import is_proved
from serving.match.verify import verify
from training.edits.kinds import KINDS, draw, draw_chain

OTHERS, CHAINS, STRANGERS, PARALLAXES = 9, 60, 12, 80
LONGEST_SIDE = 1200


def copies(photos: Sequence[Path], *, each: int, seed: int) -> Iterator[tuple[np.ndarray, int]]:
    """Yields edited photos, `each` of every kind and some chains, and the number of the photo that each is made of."""
    generator = np.random.default_rng(seed)
    for name in [*(name for name in KINDS for _ in range(each)), *([None] * CHAINS)]:
        source, *rest = generator.choice(len(photos), 1 + OTHERS, replace=False).tolist()
        others = [read(photos[number]) for number in rest]
        if name is None:
            _, edit = draw_chain(generator, others, length=int(generator.integers(2, 6)))
        else:
            edit = draw(name, generator, others)
        yield edit(read(photos[source])), source


def read(path: Path) -> np.ndarray:
    """Returns a photo's pixels, uint8 [height, width, 3], at most 1,200 on the longer side."""
    pixels = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB))
    share = min(1.0, LONGEST_SIDE / max(pixels.shape))
    return pixels if share == 1 else cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def examine(group: str, query: QueryPhoto, photo: StoredPhoto) -> Iterator[tuple[str, Evidence]]:
    """Yields the evidence of a pair with its group, and the evidence that an archive without thumbnails has."""
    for one in (photo, replace(photo, thumbnail_jpeg=b"")):
        found = verify(query, one)
        # As a lookup does it: details are looked at, and more is tried, where the whole frame proves nothing.
        if found is None or not is_proved(found):
            found = verify(query.closer, one) or found
        yield from [(group, found)] if found else []


def examples_of_copies(photos: Sequence[Path], *, each: int, seed: int) -> Iterator[tuple[str, Evidence]]:
    """Yields the evidence on copies, and on the same queries with photos that they were not made of."""
    held: dict[int, StoredPhoto] = {}
    for edited, source in copies(photos, each=each, seed=seed):
        held.setdefault(source, archived(read(photos[source])))
        query = asked(edited)
        yield from examine("copy", query, held[source])
        # Others that were asked for before, so that strangers cost no features of their own.
        for stranger in [key for key in held if key != source][-STRANGERS:]:
            yield from examine("stranger", query, held[stranger])


def examples_of_made_edits(folder: Path) -> Iterator[tuple[str, Evidence]]:
    """Yields the evidence on edits that other people made, and on the same with originals of others."""
    held: dict[str, StoredPhoto] = {}
    for edited, original in list_made_edits(folder, tell=print).items():
        held.setdefault(original.key, archived(read(path_of(original.uri))))
        query = asked(read(path_of(edited.uri)))
        yield from examine("copy", query, held[original.key])
        for stranger in [key for key in held if key != original.key][-STRANGERS:]:
            yield from examine("stranger", query, held[stranger])


def examples_of_parallax(photos: Sequence[Path], *, count: int, seed: int) -> Iterator[tuple[str, Evidence]]:
    """Yields the evidence on photos and what a camera aside of the first would have seen."""
    generator = np.random.default_rng(seed)
    for number in generator.choice(len(photos), count).tolist():
        photo = read(photos[number])
        yield from examine("parallax", asked(seen_from_aside(photo, generator)), archived(photo))


def examples_of_scenes(folders: Sequence[Path]) -> Iterator[tuple[str, Evidence]]:
    """Yields the evidence on every pair of photographs in each folder."""
    for folder in folders:
        pictures = [read(path) for path in sorted(folder.iterdir())]
        for one, other in itertools.permutations(pictures, 2):
            yield from examine("scene", asked(one), archived(other))


def calibration(found: Sequence[tuple[str, Evidence]]) -> dict[str, Any]:
    """Returns the content of the calibration file: both regressions, and how many examples they were made from."""
    parts = {
        "with_pixels": [Example(group, measures(one)) for group, one in found if one.dense],
        "without_pixels": [Example(group, measures(one)) for group, one in found if not one.dense],
    }
    return {
        "made_by": "python -m evaluation.calibrate",
        "examples": {name: dict(Counter(one.group for one in part)) for name, part in parts.items()},
        "regressions": {name: fit(part) for name, part in parts.items()},
    }


def main() -> None:
    """Writes the calibration file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos to make copies of")
    parser.add_argument("--made-edits", type=Path, required=True, help="folder of folders, each an original and edits")
    parser.add_argument("--scenes", type=Path, required=True, help="folder of folders, each photographs of one scene")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--each", type=int, default=3, help="copies of every kind of edit")
    options = parser.parse_args()
    photos = sorted(path for path in options.photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    folders = sorted(path for path in options.scenes.iterdir() if path.is_dir())
    found = [
        *examples_of_copies(photos, each=options.each, seed=0),
        *examples_of_made_edits(options.made_edits),
        *examples_of_parallax(photos, count=PARALLAXES, seed=1),
        *examples_of_scenes(folders),
    ]
    options.output.write_text(json.dumps(calibration(found), indent=2) + "\n")


if __name__ == "__main__":
    main()
