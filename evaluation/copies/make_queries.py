"""Makes the photos that are asked: edits them, in threads; a file that is there already is not made again."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np

from evaluation.copies.edits import draw_edit
from evaluation.copies.plan import PARTNER_POOL, CopyQuery, Plan, edit_seed, partners_of
from foundation.archives.archive import read
from foundation.files import replace_file
from foundation.photos import photo
from training.edits.degrade import to_jpeg

# Decoded photos that are held for edits: 120 MB at a megapixel each.
HELD_PHOTOS = PARTNER_POOL
TOLD_EVERY = 500


def write_queries(plan: Plan, folder: Path, *, seed: int, tell: Callable[[str], None]) -> list[Path]:
    """Writes the file of each query that is missing; returns the paths of all, in the order of the plan.

    Edited photos are JPEGs of quality 90: an edit that costs more quality has done so to its pixels.
    """
    photos = plan.photos

    @lru_cache(HELD_PHOTOS)
    def pixels(key: str) -> np.ndarray:
        return photo.decode(read(photos[key].uri), with_metadata=False).pixels

    def write(query: CopyQuery, path: Path) -> None:
        if query.is_file:
            replace_file(path, read(photos[query.source].uri))
            return
        partners = [pixels(one.key) for one in partners_of(query, plan, seed)]
        edit = draw_edit(query.kind, edit_seed(query, seed), partners)
        replace_file(path, to_jpeg(edit(pixels(query.source))))

    # A photo that was not edited keeps its bytes, and so its suffix.
    suffixes = [photos[query.source].suffix if query.is_file else ".jpg" for query in plan.queries]
    paths = [folder / f"{query.name}{suffix}" for query, suffix in zip(plan.queries, suffixes, strict=True)]
    missing = [(query, path) for query, path in zip(plan.queries, paths, strict=True) if not path.exists()]
    tell(f"{len(plan.queries):,} queries, {len(missing):,} of them to make")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, _ in enumerate(pool.map(lambda job: write(*job), missing), 1):
            if number % TOLD_EVERY == 0:
                tell(f"  {number:,} made")
    return paths
