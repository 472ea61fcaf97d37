"""Photos per second of the encode pipeline against two bare loops, on the same photos, model and cores.

    python -m benchmarks.encode [--rounds 3]

(a) is the best loop we can write: decoder threads with shrink-on-load, one batch ahead of the SavedModel, nothing
hashed, nothing described, nothing written. (b) is the loop people write first: Pillow's full decode, `model.predict`.
The photos are made: enlarged crops of scikit-image's photographs with grain, since no large photographs ship with any
dependency. Rounds are interleaved, so that a busy machine slows all three; results are medians.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import simplejpeg
import tensorflow as tf
from PIL import Image

from benchmarks.results import machine, write_section
from foundation.encoder import SavedEncoder, load
from foundation.store.encoders import encoder_directory
from foundation.store.files import Store
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from training.train import TrainOptions, train

BATCH = 64


@dataclass(frozen=True)
class Case:
    """One kind of photo to measure on."""

    name: str
    width: int
    height: int
    photos: int


CASES = (Case("4000×3000 (12 megapixels)", 4000, 3000, 512), Case("1200×800 (1 megapixel)", 1200, 800, 3_000))


def make_photos(folder: Path, case: Case) -> list[Path]:
    """Writes the case's JPEGs (quality 90) and returns their paths; every file is distinct."""
    from skimage import data

    folder.mkdir()
    sources = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    generator = np.random.default_rng(0)
    grain = generator.normal(0, 6, (case.height, case.width, 1)).astype(np.float32)
    paths = []
    for number in range(case.photos):
        source = sources[number % len(sources)]
        shift = int(generator.integers(0, min(source.shape[:2]) // 3))
        enlarged = cv2.resize(source[shift:, shift:], (case.width, case.height), interpolation=cv2.INTER_CUBIC)
        photo = np.clip(enlarged + np.roll(grain, number * 17, axis=1), 0, 255).astype(np.uint8)
        paths.append(folder / f"{number:05d}.jpg")
        paths[-1].write_bytes(simplejpeg.encode_jpeg(photo, quality=90))
    return paths


def bare_loop(paths: list[Path], encoder: SavedEncoder) -> None:
    """(a) Threads decode one batch ahead of the model."""
    size = encoder.spec.size

    def decode(path: Path) -> np.ndarray:
        pixels = simplejpeg.decode_jpeg(path.read_bytes(), "RGB", min_height=size, min_width=size)
        return cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for batch in ahead(pool, decode, paths):
            encoder.encode(np.stack(batch))


def ahead(pool: ThreadPoolExecutor, decode: Callable, paths: Iterable[Path]) -> Iterator[list[np.ndarray]]:
    """Yields batches of decoded photos while the pool works on the next one."""
    waiting = list(paths)
    batches = [waiting[start : start + BATCH] for start in range(0, len(waiting), BATCH)]
    pending = [pool.submit(decode, path) for path in batches[0]]
    for following in [*batches[1:], []]:
        current, pending = pending, [pool.submit(decode, path) for path in following]
        yield [future.result() for future in current]


def plain_loop(paths: list[Path], model: keras.Model, size: int) -> None:
    """(b) Pillow decodes every pixel; Keras predicts."""
    for start in range(0, len(paths), BATCH):
        batch = [Image.open(path).convert("RGB").resize((size, size)) for path in paths[start : start + BATCH]]
        model.predict(np.stack([np.asarray(photo) for photo in batch]), verbose=0)


def keras_model(store: Store, encoder: SavedEncoder) -> keras.Model:
    """Returns the same SavedModel as a Keras model."""
    spec = encoder.spec
    directory = store.local_root / encoder_directory(spec.encoder_id)
    inputs = keras.Input((spec.size, spec.size, spec.channels), dtype="uint8")
    layer = keras.layers.TFSMLayer(str(directory), call_endpoint="serving_default")
    return keras.Model(inputs, layer(inputs))


def run_pipeline(folder: Path, store: Store, photos: int) -> tuple[float, float]:
    """Returns (photos per second of the whole job, of the job past its start-up)."""
    seen: list[tuple[float, int]] = []
    started = time.perf_counter()
    run = encode(
        EncodeOptions(archive=str(folder), store=store.uri, batch_size=BATCH, features="none"),
        on_progress=lambda listed, embedded, rejected: seen.append((time.perf_counter(), embedded)),
    )
    whole = photos / (time.perf_counter() - started)
    assert run.accounting.embedded + run.accounting.duplicates == photos
    first = next(index for index, (_, embedded) in enumerate(seen) if embedded)
    last = next(index for index, (_, embedded) in enumerate(seen) if embedded == seen[-1][1])
    (start, before), (end, after) = seen[first], seen[last]
    return whole, (after - before) / (end - start)


def timed(photos: int, call: Callable[[], None]) -> float:
    """Returns photos per second of one call."""
    started = time.perf_counter()
    call()
    return photos / (time.perf_counter() - started)


def measure(case: Case, store: Store, encoder: SavedEncoder, rounds: int, directory: Path) -> list[str]:
    """Returns the table rows of one case."""
    folder = directory / f"{case.width}x{case.height}"
    paths = make_photos(folder, case)
    model = keras_model(store, encoder)
    plain_paths = paths[: max(BATCH, len(paths) // 4)]  # the rate is steady, and the loop is slow
    warm_up = paths[:BATCH]
    bare_loop(warm_up, encoder)
    plain_loop(warm_up, model, encoder.spec.size)
    rates: list[tuple[float, float, float, float]] = []
    for _ in range(rounds):
        bare = timed(len(paths), lambda: bare_loop(paths, encoder))
        whole, steady = run_pipeline(folder, store, len(paths))
        plain = timed(len(plain_paths), lambda: plain_loop(plain_paths, model, encoder.spec.size))
        rates.append((bare, plain, whole, steady))
        print(case.name, [round(rate, 1) for rate in rates[-1]], flush=True)
    bare, plain, whole, steady = (statistics.median(column) for column in zip(*rates, strict=True))
    return [
        f"| {case.name} | {case.photos} | {bare:.0f} | {plain:.0f} | {whole:.0f} | {steady:.0f} | {whole / bare:.2f} "
        f"| {steady / bare:.2f} | {whole / plain:.1f} | {steady / plain:.1f} |"
    ]


def main() -> None:
    """Trains a small encoder, measures every case and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="firstseen-benchmark-") as name:
        directory = Path(name)
        store = Store(directory / "store", create=True)
        make_photos(directory / "train", Case("train", 300, 200, 128))
        overrides = {"epochs": 1}
        encoder_id = train(TrainOptions(source=str(directory / "train"), store=store.uri, overrides=overrides))
        encoder = load(store, encoder_id, batch_size=BATCH)
        rows = [row for case in CASES for row in measure(case, store, encoder, rounds, directory)]
    lines = [
        f"`python -m benchmarks.encode --rounds {rounds}` on {machine()}, TensorFlow {tf.__version__}, local runner, "
        f"encoder `{encoder.spec.recipe}` ({encoder.spec.size}×{encoder.spec.size} → {encoder.spec.dimension}). "
        "Photos per second, medians. (a): decoder threads with shrink-on-load one batch ahead of the SavedModel, and "
        "nothing hashed or written. (b): Pillow's full decode, `model.predict`. Past start-up: from the first batch "
        "embedded to the last.",
        "",
        "| photos | number | (a) bare loop | (b) Pillow + predict | pipeline | past start-up | pipeline / (a) "
        "| past start-up / (a) | pipeline / (b) | past start-up / (b) |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    write_section("Encode", "\n".join(lines))


if __name__ == "__main__":
    main()
