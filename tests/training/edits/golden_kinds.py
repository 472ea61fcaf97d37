"""Summarises what each kind of edit makes of one photo: size, and mean colours in nine fields.

`python -m tests.training.edits.golden_kinds` writes them to `golden_kinds.json`. A seed means what it meant when a
figure was published or an encoder was trained: write the file anew only when such results are meant to change.
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.training.edits.golden import made_photos
from training.edits.kinds import KINDS, draw

FILE = Path(__file__).with_suffix(".json")
SEEDS = (0, 1)
PHOTO = made_photos(1, 120, 160, 3)[0]
OTHERS = [made_photos(1, height, width, 3)[0] for height, width in ((90, 130), (150, 100), (64, 64))]


def summaries(name: str) -> list[dict[str, Any]]:
    """Returns for each seed the shape of the edited photo and its mean levels in 3 × 3 fields."""
    found = []
    for seed in SEEDS:
        edited = draw(name, np.random.default_rng(seed), OTHERS)(PHOTO)
        fields = cv2.resize(edited, (3, 3), interpolation=cv2.INTER_AREA)
        found.append({"shape": list(edited.shape), "fields": fields.ravel().tolist()})
    return found


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(summaries(name))}" for name in KINDS)
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
