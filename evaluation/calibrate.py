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
from collections.abc import Iterable, Iterator, Sequence
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
from foundation.errors import InputNotFoundError
from serving.match.calibrate import measures
from serving.match.evidence import Evidence, QueryPhoto, StoredPhoto
from serving.match.verdict import is_proved
from serving.match.verify import verify
from training.edits.degrade import to_jpeg
from training.edits.kinds import KINDS, draw, draw_chain

OTHERS, CHAINS, STRANGERS, PARALLAXES = 9, 60, 12, 80
# What each group weighs in all. A candidate that comes so far is a copy as often as not; of those that are none, most
# are met in archives that hold several photographs of one event, from one spot or, as `parallax`, from a step aside.
WEIGHTS = {"copy": 0.5, "scene": 0.3, "parallax": 0.15, "stranger": 0.05}
# Of what is added to photos, most is laid over them.
WEIGHTS_OF_ADDITIONS = {"laid_over": 0.6, "replaced": 0.4}
FORGERIES = ("object_removed", "region_copied", "region_replaced")
ADDITIONS, QUALITY = 12, 90
LONGEST_SIDE = 1200


def copies(photos: Sequence[Path], names: Sequence[str | None], *, seed: int) -> Iterator[tuple[np.ndarray, Path]]:
    """Yields an edited photo for each kind of edit, None for a chain of some, with the photo that it is made of."""
    generator = np.random.default_rng(seed)
    for name in names:
        source, *rest = [photos[number] for number in generator.choice(len(photos), 1 + OTHERS, replace=False)]
        others = [read(path) for path in rest]
        if name is None:
            _, edit = draw_chain(generator, others, length=int(generator.integers(2, 6)))
        else:
            edit = draw(name, generator, others)
        yield edit(read(source)), source


def read(path: Path) -> np.ndarray:
    """Returns a photo's pixels, uint8 [height, width, 3], at most 1,200 on the longer side.

    Raises InputNotFoundError for a file that is no photo.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise InputNotFoundError(f"{path} cannot be decoded; expected a photo: take it out of its folder")
    share = min(1.0, LONGEST_SIDE / max(pixels.shape))
    smaller = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) if share < 1 else pixels
    return np.asarray(smaller, np.uint8)


def examine(group: str, query: QueryPhoto, photo: StoredPhoto) -> Iterator[tuple[str, Evidence]]:
    """Yields the evidence of a pair with its group, and the evidence that an archive without thumbnails has."""
    for one in (photo, replace(photo, thumbnail_jpeg=b"")):
        found = verify(query, one)
        # As a lookup does it: details are looked at, and more is tried, where the whole frame proves nothing.
        if found is None or not is_proved(found):
            found = verify(query.closer, one) or found
        yield from [(group, found)] if found else []


def examples_of_copies(pairs: Iterable[tuple[np.ndarray, Path]]) -> Iterator[tuple[str, Evidence]]:
    """Yields the evidence on edited photos with their originals, and with others that they were not made of."""
    held: dict[Path, StoredPhoto] = {}
    for edited, original in pairs:
        if original not in held:
            held[original] = archived(read(original))
        query = asked(edited)
        yield from examine("copy", query, held[original])
        # Others that were asked for before, so that strangers cost no features of their own.
        for stranger in [path for path in held if path != original][-STRANGERS:]:
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


def examples_of_additions(photos: Sequence[Path], *, each: int, seed: int) -> Iterator[Example]:
    """Yields how what was laid over photos looks, and as many times what was replaced in them."""
    overlays = [name for name, kind in KINDS.items() if kind.verdict == "overlaid"]
    forgeries = itertools.islice(itertools.cycle(FORGERIES), each * len(overlays))
    names = [*overlays * each, *forgeries]
    for name, (edited, original) in zip(names, copies(photos, names, seed=seed), strict=True):
        # Compression leaves something of its own around what was added.
        saved = cv2.imdecode(np.frombuffer(to_jpeg(edited, quality=QUALITY), np.uint8), cv2.IMREAD_COLOR_RGB)
        found = verify(asked(np.asarray(saved, np.uint8)), archived(read(original)))
        if found and found.dense and found.dense.look_of_added:
            yield Example("replaced" if name in FORGERIES else "laid_over", found.dense.look_of_added)


def calibration(found: Sequence[tuple[str, Evidence]], additions: Sequence[Example]) -> dict[str, Any]:
    """Returns the content of the calibration file: the regressions, and how many examples they were made from."""
    with_pixels = [Example(group, measures(one)) for group, one in found if one.dense]
    without_pixels = [Example(group, measures(one)) for group, one in found if not one.dense]
    parts = {"with_pixels": with_pixels, "without_pixels": without_pixels, "laid_over": additions}
    return {
        "made_by": "python -m evaluation.calibrate",
        "examples": {name: dict(Counter(one.group for one in part)) for name, part in parts.items()},
        "regressions": {
            "with_pixels": fit(with_pixels, wanted="copy", group_weights=WEIGHTS),
            "without_pixels": fit(without_pixels, wanted="copy", group_weights=WEIGHTS),
            "laid_over": fit(additions, wanted="laid_over", group_weights=WEIGHTS_OF_ADDITIONS),
        },
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
    names = [*(name for name in KINDS for _ in range(options.each)), *([None] * CHAINS)]
    made = list_made_edits(options.made_edits, tell=print)
    found = [
        *examples_of_copies(copies(photos, names, seed=0)),
        *examples_of_copies((read(path_of(one.uri)), path_of(original.uri)) for one, original in made.items()),
        *examples_of_parallax(photos, count=PARALLAXES, seed=1),
        *examples_of_scenes(folders),
    ]
    additions = list(examples_of_additions(photos, each=ADDITIONS, seed=2))
    options.output.write_text(json.dumps(calibration(found, additions), indent=2) + "\n")


if __name__ == "__main__":
    main()
