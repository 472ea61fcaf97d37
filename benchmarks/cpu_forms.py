"""What an encoder costs on a CPU in TensorFlow, LiteRT, ONNX Runtime and OpenVINO: start, memory, photos per second.

    python -m benchmarks.cpu_forms [--rounds 5]

ONNX Runtime and OpenVINO are no dependencies: they are measured where `onnxruntime`, `tf2onnx` and `openvino` are
installed, best into an environment of their own. Each measurement is a process; the libraries take turns, and the best
of the rounds counts. Seconds are those of the processor, all threads together: other work on the machine lengthens
them much less than those of the clock. The weights are random, for they cost nothing else than trained ones.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.results import machine, write_section

SECONDS = 0.5
BATCHES = (1, 64)
THREADS = (1, 2)
# Blocks of depthwise and pointwise convolutions for photos of 112 pixels: (channels, stride).
SEPARABLE = ((64, 1), (96, 2), (96, 1), (192, 2), (192, 1), (192, 1), (384, 2), (384, 1), (384, 1))
# By library: what has to be installed for it, and what its model is called.
LIBRARIES = {
    "TensorFlow": (("tensorflow",), "saved"),
    "LiteRT": (("ai_edge_litert",), "model.tflite"),
    "ONNX Runtime": (("onnxruntime", "tf2onnx"), "model.onnx"),
    "OpenVINO": (("openvino",), "model.xml"),
}
Run = Callable[[np.ndarray], np.ndarray]


def separable():
    """Returns a network of separable convolutions with GeM pooling (Radenović et al. 2018) and unit length."""
    import keras

    class GeM(keras.layers.Layer):
        def call(self, features):
            powers = keras.ops.power(keras.ops.maximum(features, 1e-6), 3.0)
            return keras.ops.power(keras.ops.mean(powers, axis=(1, 2)), 1 / 3)

    def normalised(features):
        return keras.layers.ReLU()(keras.layers.BatchNormalization()(features))

    photos = keras.Input((112, 112, 3), dtype="uint8")
    features = keras.layers.Rescaling(1 / 127.5, -1)(photos)
    features = normalised(keras.layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(features))
    for width, stride in SEPARABLE:
        features = keras.layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(features)
        features = normalised(keras.layers.Conv2D(width, 1, use_bias=False)(normalised(features)))
    vectors = keras.layers.UnitNormalization()(keras.layers.Dense(128)(GeM()(features)))
    return keras.Model(photos, vectors)


def write_forms(folder: Path, model, libraries: list[str]) -> None:
    """Writes a Keras model as SavedModel, and in the form of each library."""
    import keras
    import tensorflow as tf

    saved = folder / "saved"
    model.export(saved, input_signature=[keras.InputSpec(shape=model.input_shape, dtype="uint8")], verbose=False)
    (folder / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(saved)).convert())
    if "ONNX Runtime" in libraries:
        convert = ["-m", "tf2onnx.convert", "--saved-model", str(saved), "--output", str(folder / "model.onnx")]
        subprocess.run([sys.executable, *convert, "--opset", "18"], check=True, capture_output=True)  # noqa: S603
    if "OpenVINO" in libraries:
        import openvino

        openvino.save_model(openvino.convert_model(saved), folder / "model.xml", compress_to_fp16=False)


def tensorflow_runner(threads: int) -> Callable[[Path], Run]:
    """Imports TensorFlow; returns what loads a SavedModel."""
    import tensorflow as tf

    from foundation.models.saved_model import SavedModel

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    return SavedModel


def litert_runner(threads: int) -> Callable[[Path], Run]:
    """Imports LiteRT; returns what loads its models."""
    from foundation.models.lite_model import LiteModel

    os.cpu_count = lambda: threads
    return lambda path: LiteModel(path.read_bytes())


def onnx_runner(threads: int) -> Callable[[Path], Run]:
    """Imports ONNX Runtime; returns what loads its models."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads

    def load(path: Path) -> Run:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda photos: session.run(None, {name: photos})[0]

    return load


def openvino_runner(threads: int) -> Callable[[Path], Run]:
    """Imports OpenVINO; returns what loads its models."""
    import openvino

    # Half precision is OpenVINO's own choice where the processor has it; the vectors would differ by 1e-3.
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}

    def load(path: Path) -> Run:
        model = openvino.Core().compile_model(path, "CPU", settings)
        request = model.create_infer_request()
        return lambda photos: np.array(request.infer({0: photos})[model.output(0)])

    return load


RUNNERS = {
    "TensorFlow": tensorflow_runner,
    "LiteRT": litert_runner,
    "ONNX Runtime": onnx_runner,
    "OpenVINO": openvino_runner,
}


def measure(library: str, folder: Path, threads: int, size: int) -> dict[str, float]:
    """Returns seconds, megabytes and photos per second of one library in this process; keeps its vectors."""
    photos = np.random.default_rng(0).integers(0, 256, (max(BATCHES), size, size, 3), np.uint8)
    started = time.process_time()
    load = RUNNERS[library](threads)
    imported = time.process_time()
    run = load(folder / LIBRARIES[library][1])
    run(photos[:1])
    found = {"import": imported - started, "ready": time.process_time() - imported}
    np.save(folder / f"{library}.npy", run(photos))
    for batch in BATCHES:
        begun, number = time.process_time(), 0
        while time.process_time() < begun + SECONDS:
            run(photos[:batch])
            number += batch
        found[f"batch {batch}"] = number / (time.process_time() - begun)
    return found | {"MB": most_memory_mb()}


def most_memory_mb() -> float:
    """Returns the most memory that this process has held, in megabytes."""
    # `getrusage` would count what the parent process held before it started this one.
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def best_of(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Returns the best of each figure: the most photos per second, the least of everything else."""
    return {name: (max if name.startswith("batch") else min)(found[name] for found in rounds) for name in rounds[0]}


def in_turns(folder: Path, libraries: list[str], size: int, rounds: int) -> dict[tuple[str, int], dict[str, float]]:
    """Returns the best figures by library and number of threads, each measured in processes of its own."""
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(rounds):
        for threads in THREADS:
            for library in libraries:
                command = [sys.executable, "-m", "benchmarks.cpu_forms", "--measure", library, str(folder)]
                done = subprocess.run([*command, str(threads), str(size)], check=True, capture_output=True)  # noqa: S603
                found.setdefault((library, threads), []).append(json.loads(done.stdout))
    return {key: best_of(values) for key, values in found.items()}


def table(folder: Path, name: str, figures: dict[tuple[str, int], dict[str, float]]) -> list[str]:
    """Returns a row per library: figures, and how far its vectors are from TensorFlow's."""
    rows, expected = [], np.load(folder / "TensorFlow.npy")
    for library in dict.fromkeys(library for library, _ in figures):
        one, two = (figures[library, threads] for threads in THREADS)
        moved = np.abs(np.load(folder / f"{library}.npy") - expected).max() / np.abs(expected).max()
        rates = [f"{found[f'batch {batch}']:,.0f}" for found in (one, two) for batch in BATCHES]
        cells = [
            name,
            library,
            f"{one['import']:.2f}",
            f"{one['ready']:.2f}",
            f"{one['MB']:.0f}",
            *rates,
            f"{moved:.0e}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measures every library that is installed and writes the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", nargs=4, metavar=("LIBRARY", "FOLDER", "THREADS", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        library, folder, threads, size = options.measure
        print(json.dumps(measure(library, Path(folder), int(threads), int(size))))
        return
    from training import objective, recipe

    chosen = recipe.load("convolutional")
    models = {
        f"`{chosen.architecture}`, {chosen.size} px": objective.load(chosen.objective).build(chosen).encoder,
        "separable, 112 px": separable(),
    }
    libraries = [name for name, (needs, _) in LIBRARIES.items() if all(map(importlib.util.find_spec, needs))]
    rows = []
    with tempfile.TemporaryDirectory(prefix="firstseen-forms-") as temporary:
        for number, (name, model) in enumerate(models.items()):
            folder = Path(temporary, str(number))
            write_forms(folder, model, libraries)
            rows += table(folder, name, in_turns(folder, libraries, model.input_shape[1], options.rounds))
    lines = [
        f"`python -m benchmarks.cpu_forms --rounds {options.rounds}` on {machine()}: processor seconds to import "
        "the library and to load the encoder until its first vector, megabytes of the process, photos per processor "
        f"second, the greatest difference of a vector's component from TensorFlow's. Best of {options.rounds} rounds.",
        "",
        "| encoder | library | import | ready | MB | 1 thread, batch 1 | 64 | 2 threads, batch 1 | 64 | difference |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    write_section("Forms for CPUs", "\n".join(lines))


if __name__ == "__main__":
    main()
