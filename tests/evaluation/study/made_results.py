"""Results of a study that nobody ran: numbers worked out by formula, small made photos, the same on every call."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluation.metrics import Retrieval
from evaluation.study.plan import GREY, Dataset, Entry, colour_dataset
from evaluation.study.result import DESCRIPTION, DISTURBANCES, EXAMPLES, Errors, Kind, Result
from foundation.store import artifact

ENCODERS: tuple[tuple[int, str, str, Kind], ...] = (
    (1, "dense", "fully connected", "autoencoder"),
    (2, "convolution_upsampling", "convolution + up-sampling", "autoencoder"),
    (3, "convolution_transpose", "convolution + transpose convolution", "autoencoder"),
    (4, "convolution_dense_upsampling", "convolution + fully connected + up-sampling", "autoencoder"),
    (5, "convolution_dense_transpose", "convolution + fully connected + transpose, max pooling", "autoencoder"),
    (5, "convolution_dense_transpose-average", "convolution + fully connected, average pooling", "autoencoder"),
    (6, "variational_convolutional", "variational, convolutional", "variational"),
    (7, "variational_recurrent", "variational, recurrent (GRU)", "variational"),
    (8, "recurrent", "recurrent (LSTM)", "autoencoder"),
    (9, "attention", "recurrent with attention", "autoencoder"),
    (10, "denoising", "denoising, convolutional", "denoising"),
    (12, "binary_crossentropy", "convolutional 32–16–8, binary cross-entropy", "autoencoder"),
    (13, "reverse_image_search", "dense bottleneck of 32", "autoencoder"),
)
BASELINES = ("raw_pixels", "pca", "colour_histogram", "local_features", "perceptual_hash", "difference_hash")
FAMILIES = {entry: (number, title, kind) for number, entry, title, kind in ENCODERS}


def made_result(entry: str, *, dataset: str = "mnist", dimension: int = 64, **changes: object) -> Result:
    """Returns the result of an encoder of the list; any field can be changed, `error` and `precision` at once."""
    number, title, kind = FAMILIES.get(entry.partition("@")[0], (11, "colour, 8 × 8 × 8 bottleneck", "autoencoder"))
    error = float(changes.pop("error", 0.2 / dimension + 0.0003 * number))  # type: ignore[arg-type]
    precision = float(changes.pop("precision", 0.95 - 0.004 * number))  # type: ignore[arg-type]
    made = Result(
        dataset=dataset,
        entry=entry,
        title=title,
        kind=kind,
        number=number,
        dimension=dimension,
        distance="euclidean",
        photos="digest",
        recipe=entry.partition("@")[0].partition("-")[0],
        encoder_id=f"{entry}-id",
        parameters=100_000 + 1_000 * number,
        training_seconds=60.0 + 20 * number,
        encode_per_second=20_000.0 / number,
        errors=Errors(training=error * 0.95, validation=error * 0.98, test=error),
        retrieval=made_retrieval(precision),
        robustness={name: round(0.9 - 0.15 * place, 3) for place, name in enumerate(DISTURBANCES)},
        history=[[0.1 / epoch, 0.11 / epoch] for epoch in range(1, 5)],
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def made_baseline(entry: str, *, dataset: str = "mnist", precision: float = 0.93, dimension: int = 64) -> Result:
    """Returns the result of a baseline; only PCA has errors."""
    error = 0.25 / dimension
    return Result(
        dataset=dataset,
        entry=entry,
        title=entry.partition("@")[0].replace("_", " "),
        kind="baseline",
        number=0,
        dimension=dimension,
        distance="euclidean",
        photos="digest",
        retrieval=replace(made_retrieval(precision), queries=500 if entry == "local_features" else 10_000),
        robustness=dict.fromkeys(DISTURBANCES, 0.5),
        errors=Errors(training=error, validation=error, test=error) if entry.startswith("pca") else None,
    )


def made_retrieval(precision: float) -> Retrieval:
    """Returns retrieval numbers around one precision@10; the cosine finds a hundredth more."""
    return Retrieval(
        queries=10_000,
        precision_at_4=precision + 0.01,
        precision_at_10=precision,
        mean_average_precision=precision / 2,
        pixel_recall_at_10=precision * 0.6,
        best_precision_at_10=1.0,
        euclidean=precision,
        cosine=precision + 0.01,
    )


def made_plan() -> list[Dataset]:
    """Returns the plan that all made results are of: titles of theirs, and epochs as their histories have."""
    encoders = [Entry(name=e, title=t, number=n, kind=k, recipe=e.partition("-")[0]) for n, e, t, k in ENCODERS]
    entries = [replace(entry, changes={"epochs": 4, "dimension": 64}) for entry in encoders]
    curve = [
        replace(entry, name=f"{entry.name}@{dimension}", changes={**entry.changes, "dimension": dimension})
        for dimension in (16, 256)
        for entry in entries
    ]
    grey = {"training": "", "test": "", "size": 28, "channels": 1, "dimension": 64, "pca_dimensions": (16, 256)}
    return [
        *(Dataset(name=name, entries=tuple(entries), curve=tuple(curve), **grey) for name in GREY),
        colour_dataset("", ""),
    ]


def made_examples(*, size: int = 8, channels: int = 1, seed: int = 0) -> dict[str, np.ndarray]:
    """Returns every array that an entry can keep for the pictures, of random photos."""
    generator = np.random.default_rng(seed)

    def photos(*shape: int) -> np.ndarray:
        return generator.integers(0, 256, (*shape, size, size, channels), np.uint8)

    def labels(*shape: int) -> np.ndarray:
        return generator.integers(0, 10, shape)

    return {
        "photos": np.random.default_rng(1).integers(0, 256, (16, size, size, channels), np.uint8),
        "photo_labels": np.arange(16) % 10,
        "class_names": np.array([f"class {number}" for number in range(10)]),
        "reconstructions": photos(16),
        "neighbours": photos(16, 4),
        "neighbour_labels": labels(16, 4),
        "decoded_neighbours": photos(16, 4),
        "failures": photos(8),
        "failure_labels": labels(8),
        "failure_neighbours": photos(8, 4),
        "failure_neighbour_labels": labels(8, 4),
        "worst": photos(8),
        "worst_reconstructions": photos(8),
        "plane_training": generator.standard_normal((60, 2)).astype(np.float32),
        "plane_training_labels": np.arange(60) % 10,
        "plane_test": generator.standard_normal((40, 2)).astype(np.float32),
        "plane_test_labels": np.arange(40) % 10,
        "disturbed": photos(len(DISTURBANCES), 4),
        "disturbed_found": photos(len(DISTURBANCES), 4),
        "disturbed_right": generator.random((len(DISTURBANCES), 4)) < 0.5,
    }


def every_result(dataset: str) -> list[Result]:
    """Returns all encoders of the list and all baselines on a grey data set, and the curves of three of them."""
    return [
        *(made_result(entry, dataset=dataset) for _, entry, _, _ in ENCODERS),
        *(made_baseline(entry, dataset=dataset) for entry in BASELINES),
        *(
            made_result(f"{entry}@{d}", dataset=dataset, dimension=d)
            for d in (16, 256)
            for entry in ("dense", "convolution_upsampling", "convolution_dense_upsampling")
        ),
        *(made_baseline(f"pca@{d}", dataset=dataset, dimension=d) for d in (16, 256)),
    ]


def write_results(directory: Path, results: Sequence[Result], *, examples: dict[str, np.ndarray] | None = None) -> None:
    """Writes results as the study does, each with the same examples if there are any."""
    for result in results:
        folder = directory / result.dataset / result.entry
        folder.mkdir(parents=True)
        (folder / DESCRIPTION).write_bytes(artifact.to_json(result))
        if examples:
            np.savez_compressed(folder / EXAMPLES, **examples)  # type: ignore[arg-type]
