"""What ten times as much costs: indexes of up to 10 million vectors and 100 million local features, and encoding.

    python -m benchmarks.scale [--folder FOLDER] [--photos FOLDER] [--only vectors features encode] [--large]

Figures that are known are not measured again: delete them from FOLDER/figures.json to do so. Every step is a process of
its own, whose peak of memory (VmHWM, mapped files included) the kernel counts.
"""

import argparse
import json
from pathlib import Path

from benchmarks.scaled import features, photos, real, vectors, votes
from benchmarks.scaled.figures import Figure, Figures, Step, name_of, run_step
from foundation.store.files import Store
from pipelines.index.local_scann import MOST_DESCRIPTORS
from training.edits.kinds import COMMON, KINDS

FOLDER = Path.home() / "bench" / "scale"
DATA = Path(__file__).parents[3] / "shared" / "data"
ARCHIVES = ("photos", "photos_176/*.tar", "tiny_imagenet_64/*.tar")
MILLION = 1_000_000
# Photos that a hundred thousand of are quickly written, and photos as a news desk has them.
SMALL_SIDE, NEWS_SIDE = 192, 1_200
NEWS_PHOTOS = (500, 2_500)
LOOKED_UP = 200


def prepare(folder: str, data: str) -> Figure:
    """Encodes the real photos, and keeps what everything is made of: seeds, planted photos, queries."""
    store = Path(folder, "real")
    real.encode_once([str(Path(data, name)) for name in ARCHIVES], store)
    opened = Store(store)
    planted = real.read_photos(opened, real.runs_of(opened, planted=True))
    rows = real.choose_planted(planted)
    everyday = real.edits_of(opened, planted, rows, kinds=COMMON)
    real.write_asked(Path(folder, vectors.ASKED), everyday)
    every = real.edits_of(opened, planted, rows[: features.QUERIES], kinds=tuple(KINDS))
    real.write_asked(Path(folder, features.ASKED), every)
    others = real.runs_of(opened, planted=False)
    vectors.write_seeds(folder, real.read_photos(opened, others), planted, rows)
    # Photos of 64 pixels have few features, and of another kind.
    features.write_feature_seeds(folder, real.read_photos(opened, others[:1]), planted, rows)
    return {"photos": len(planted)}


STEPS: dict[str, Step] = {
    "prepare": prepare,
    "structure_of_real": vectors.structure_of_real,
    "structure": vectors.structure_of,
    "shards": vectors.write_shards,
    "build": vectors.build,
    "compare": vectors.compare,
    "search": vectors.search,
    "features": features.write_features,
    "feature_structure": features.structure_of,
    "trees": votes.build_trees,
    "vote": votes.vote,
    "photos": photos.write_photos,
    "encode": photos.encode,
    "index": photos.index,
    "lookup": photos.lookup,
}


def measure_vectors(figures: Figures, rows: int, segment_rows: int) -> None:
    """Measures so many vectors in segments of so many rows; what other sizes have built is not built again."""
    for first, count in vectors.parts_of(rows, segment_rows):
        if name_of("build", {"first": first, "rows": count}) not in figures.known:
            figures.measure("shards", first=first, rows=count)
        figures.measure("build", first=first, rows=count)
        figures.measure("compare", first=first, rows=count)
    figures.measure("search", rows=rows, segment_rows=segment_rows)
    figures.measure("structure", rows=rows, segment_rows=segment_rows)


def measure_features(figures: Figures, count: int) -> None:
    """Measures so many local features in trees of the default size."""
    figures.measure("features", features=count)
    figures.measure("trees", features=count, most=MOST_DESCRIPTORS)
    figures.measure("vote", features=count, way=str(MOST_DESCRIPTORS))
    figures.measure("feature_structure", features=count)


def measure_photos(figures: Figures, data: str, count: int, side: int, kept: str) -> None:
    """Encodes and indexes so many photos, with local features or without."""
    told = {"photos": count, "side": side}
    figures.measure("photos", data=data, **told)
    figures.measure("encode", **told, features=kept)
    figures.measure("index", **told, features=kept)
    if side == NEWS_SIDE:
        figures.measure("lookup", data=data, **told, queries=LOOKED_UP)
    photos.remove(str(figures.folder), count, side, kept)


def main() -> None:
    """Measures what is not known yet and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--vectors", type=int, nargs="*", default=[100_000, MILLION, 10 * MILLION])
    parser.add_argument("--one-tree", type=int, nargs="*", default=[10 * MILLION])
    parser.add_argument("--features", type=int, nargs="*", default=[MILLION, 10 * MILLION, 100 * MILLION])
    parser.add_argument("--photos", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--photos-with-features", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--told", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        run_step(STEPS[options.step], str(options.folder), options.told)
        return
    figures = Figures(options.folder, "benchmarks.scale")
    figures.measure("prepare", data=str(options.data))
    figures.measure("structure_of_real")
    for rows in options.vectors:
        measure_vectors(figures, rows, MILLION)
    for rows in options.one_tree:
        measure_vectors(figures, rows, rows)
    figures.measure("feature_structure", features=0)
    for count in options.features:
        measure_features(figures, count)
    for count in options.photos:
        measure_photos(figures, str(options.data), count, SMALL_SIDE, "none")
    for count in options.photos_with_features:
        measure_photos(figures, str(options.data), count, SMALL_SIDE, "local")
    for count in NEWS_PHOTOS:
        measure_photos(figures, str(options.data), count, NEWS_SIDE, "local")


if __name__ == "__main__":
    main()
