"""What ten times as much costs: indexes of up to 10 million vectors and 100 million local features, and encoding.

    python -m benchmarks.scale --data FOLDER [--folder FOLDER] [--quiet]

`--data` holds real photos: a folder `photos`, tar shards in `photos_176` and `tiny_imagenet_64`. Everything that
is made of them goes to `--folder`, 25 GB at most. Figures that are known are not measured again, but with `--quiet`
those that met other work on the machine. Every step is a process of its own, whose peak of memory (VmHWM, mapped files
included) the kernel counts.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

from benchmarks.results import machine, write_section
from benchmarks.scaled import features, hashes, photos, real, tables, vector_ways, vectors, votes
from benchmarks.scaled.figures import FOLDER, Figure, Figures, Step, Steps, run_step
from benchmarks.sizing import RECORD
from foundation.store.files import Store
from training.edits.kinds import COMMON, KINDS

ARCHIVES = ("photos", "photos_176/*.tar", "tiny_imagenet_64/*.tar")
MILLION = 1_000_000
# Photos that a hundred thousand of are quickly written, and photos as a news desk has them.
SMALL_SIDE, NEWS_SIDE = 192, 1_200
NEWS_PHOTOS = (500, 2_500)
LOOKED_UP = 200
# What a build in one piece takes of the disk for a vector: three times itself, its shard and its photo's columns; and
# what a local feature takes with its trees.
ONE_TREE_BYTES, FEATURE_BYTES = 2_200, 140
# Leaves that are searched beside as many as are planned, of trees over local features and of those over vectors.
FEATURE_LEAVES = (2, 4, 32)
VECTOR_LEAVES = (8, 32, 128)
# Steps whose time is no result.
UNTIMED = ("prepare", "photos", "compare", "structure", "structure_of_real", "feature_structure")
VECTORS_SAID = (
    "Segments by `build_segment` of shards by `write_shard`, 128 numbers a vector, searched by `OpenSnapshot.search`. "
    "Queries: everyday edits of 500 planted photos. Recall@10: of their exact neighbours; of a build, of its own "
    "queries. Peak: of the process (VmHWM), mapped files included; of its own: without these. Estimate: what the "
    "planner expects, as a share of the peak."
)
FEATURES_SAID = (
    "Trees by `write_local_scann`, votes by `local_candidates`, one query after the other. Queries: edits of 300 "
    "planted photos, of all kinds, the hard ones too. Recall: of the nearest feature of moved ones."
)
PHOTOS_SAID = (
    "`firstseen encode`, a process of its own, with the local runner. Peak: the greatest sum over its processes, "
    "sampled. Bytes a photo: of the embeddings."
)
STRUCTURE_SAID = (
    "Cosine of the nearest neighbour, median and quartiles, and intrinsic dimension (Levina and Bickel 2004, 20 "
    "neighbours), around vectors of the set itself and around vectors of real photos that are not in it. As many made "
    "ones lie as real ones do; noise of equal size in all directions, which is what benchmarks are often made of, puts "
    "the nearest of 65,000 at 0.93 and the dimension at 3."
)


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
    "leaves": vector_ways.search_leaves,
    "hashes": hashes.look_for,
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
    parts = vectors.parts_of(rows, segment_rows)
    builds: Steps = [("build", {"first": first, "rows": count}) for first, count in parts]
    after: Steps = [(step, {"rows": rows, "segment_rows": segment_rows}) for step in ("search", "structure")]
    if len(parts) == 1:
        after += [("leaves", {"rows": rows, "leaves": leaves}) for leaves in VECTOR_LEAVES]
    if figures.lacks(builds + after) and not vectors.are_there(str(figures.folder), figures.known, builds):
        figures.forget(builds)
    for build in builds:
        if figures.lacks([build]):
            figures.measure("shards", again=True, **build[1])
        figures.measure_all([build, ("compare", build[1])])
    figures.measure_all(after)


def measure_features(figures: Figures, count: int) -> None:
    """Measures so many local features, with as many leaves searched as are planned and with others."""
    told = {"features": count}
    steps: Steps = [
        *((step, told) for step in ("features", "trees", "vote")),
        *(("vote", {**told, "searched": leaves}) for leaves in FEATURE_LEAVES),
        ("feature_structure", told),
    ]
    place = features.place_of(str(figures.folder), count)
    if figures.lacks(steps) and not place.exists():
        figures.forget(steps)
    figures.measure_all(steps)
    # 10 GB of 100 million.
    shutil.rmtree(place, ignore_errors=True)


def measure_photos(figures: Figures, data: str, count: int, side: int, kept: str) -> None:
    """Encodes and indexes so many photos, with local features or without, and perhaps looks some up."""
    photos_of = {"photos": count, "side": side}
    steps: Steps = [("encode", {**photos_of, "features": kept}), ("index", {**photos_of, "features": kept})]
    if (count, side) == (NEWS_PHOTOS[-1], NEWS_SIDE):
        steps.append(("lookup", {"data": data, **photos_of, "queries": LOOKED_UP}))
    if not figures.lacks(steps):
        return
    if not photos.store_of(str(figures.folder), count, side, kept).exists():
        figures.forget(steps)
    figures.measure("photos", data=data, **photos_of)
    figures.measure_all(steps)
    photos.remove(str(figures.folder), count, side, kept)


def require_disk(folder: Path, size: int) -> None:
    """Raises SystemExit unless so many bytes are free where the data go."""
    if (free := shutil.disk_usage(folder).free) < size:
        raise SystemExit(f"{folder} has {free / 1e9:,.0f} GB free, expected {size / 1e9:,.0f} GB: free some, run again")


def write_results(figures: Figures) -> None:
    """Writes the sections of RESULTS.md, and the record that docs/scale.md is made of."""
    # Neither where photos lay on this machine, nor the names of segments, are of use to anybody else.
    known = {
        re.sub(r" data=\S+", "", name): {key: value for key, value in one.items() if key != "segment"}
        for name, one in figures.known.items()
    }
    RECORD.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    command = f"`python -m benchmarks.scale` on {machine()}."
    loaded = (
        "Load: how many cores other work had meanwhile, empty where that is next to nothing. Seconds are then "
        "disturbed, processor seconds a little."
    )
    for title, lines in (
        ("Scale: vectors", [f"{command} {VECTORS_SAID} {loaded}", "", *tables.vector_tables(known)]),
        ("Scale: local features", [f"{command} {FEATURES_SAID} {loaded}", "", *tables.feature_tables(known)]),
        ("Scale: encoding", [f"{command} {PHOTOS_SAID} {loaded}", "", *tables.photo_table(known)]),
        ("Scale: how made and real ones lie", [STRUCTURE_SAID, "", *tables.structure_table(known)]),
    ):
        write_section(title, "\n".join(lines))


def main() -> None:
    """Measures what is not known yet and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--data", type=Path, help="folder of the real photos that everything is made of")
    parser.add_argument("--vectors", type=int, nargs="*", default=[100_000, MILLION, 10 * MILLION])
    parser.add_argument("--one-tree", type=int, nargs="*", default=[10 * MILLION])
    parser.add_argument("--features", type=int, nargs="*", default=[MILLION, 10 * MILLION, 100 * MILLION])
    parser.add_argument("--photos", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--photos-with-features", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--quiet", action="store_true", help="measure again what met other work on the machine")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--told", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        run_step(STEPS[options.step], str(options.folder), options.told)
        return
    if not options.data:
        parser.error("--data is missing: expected the folder of the real photos that everything is made of")
    figures = Figures(options.folder, "benchmarks.scale")
    if options.quiet:
        figures.forget_loaded(tables.QUIET_LOAD, but=UNTIMED)
    figures.measure("prepare", data=str(options.data))
    figures.measure("structure_of_real")
    figures.measure("hashes")
    for rows in options.vectors:
        measure_vectors(figures, rows, MILLION)
    for rows in options.one_tree:
        vectors.remove(str(options.folder))
        require_disk(options.folder, rows * ONE_TREE_BYTES)
        measure_vectors(figures, rows, rows)
    vectors.remove(str(options.folder))
    figures.measure("feature_structure", features=0)
    for count in options.features:
        require_disk(options.folder, count * FEATURE_BYTES)
        measure_features(figures, count)
    for count in options.photos:
        measure_photos(figures, str(options.data), count, SMALL_SIDE, "none")
    for count in options.photos_with_features:
        measure_photos(figures, str(options.data), count, SMALL_SIDE, "local")
    for count in NEWS_PHOTOS:
        measure_photos(figures, str(options.data), count, NEWS_SIDE, "local")
    write_results(figures)


if __name__ == "__main__":
    main()
