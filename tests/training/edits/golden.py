"""Computes one SHA-256 digest for each name by which photos are corrupted, disturbed or edited.

`python -m tests.training.edits.golden` writes them to `golden.json`. A seed means what it meant when a figure was
published or an encoder was trained: write the file anew only when such results are meant to change.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from evaluation.study.disturbances import disturb
from evaluation.study.result import DISTURBANCES
from firstseen.demo.edits import EDITS
from training.choices import CORRUPTIONS
from training.edits.corruptions import corrupt
from training.edits.degrade import to_jpeg

FILE = Path(__file__).with_suffix(".json")
SIZES = (16, 28, 32, 64)
SEEDS = (0, 1, 7)
# Height and width: upright and lying, smaller and larger than the letters of a caption.
DEMO_SHAPES = ((64, 96), (81, 57), (240, 320))


def made_photos(count: int, height: int, width: int, channels: int) -> np.ndarray:
    """Returns uint8 [count, height, width, channels]: flat areas with edges under noise, of NumPy's integers alone."""
    generator = np.random.default_rng((count, height, width, channels))
    coarse = generator.integers(0, 236, (count, 4, 4, channels))
    areas = coarse[:, np.arange(height) * 4 // height][:, :, np.arange(width) * 4 // width]
    return (areas + generator.integers(0, 20, areas.shape)).astype(np.uint8)


def digests() -> dict[str, str]:
    """Returns the digests of what the present code makes, by what was done and to how many channels."""
    found = {}
    for channels in (1, 3):
        batches = [made_photos(12, size, size, channels) for size in SIZES]
        for name in CORRUPTIONS:
            corrupted = (corrupt(photos, name, np.random.default_rng(seed)) for photos in batches for seed in SEEDS)
            found[f"corruption {name}, channels {channels}"] = _digest(array.tobytes() for array in corrupted)
        for name in DISTURBANCES:
            disturbed = (disturb(photos, name, seed=seed) for photos in batches for seed in SEEDS)
            found[f"disturbance {name}, channels {channels}"] = _digest(array.tobytes() for array in disturbed)
    for name, edit in EDITS.items():
        edited = (edit(made_photos(1, height, width, 3)[0]) for height, width in DEMO_SHAPES)
        found[f"query {name}"] = _digest(to_jpeg(photo) for photo in edited)
    return found


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


if __name__ == "__main__":
    FILE.write_text(json.dumps(digests(), indent=2) + "\n")
