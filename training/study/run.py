"""The study: trains every entry, evaluates it and the baselines; goes on where it was stopped."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from pydantic import TypeAdapter, ValidationError

from training.batches import split
from training.datasets import PhotoCache, cache_photos
from training.epoch_line import EpochLine
from training.saved_encoder import SavedEncoder, load
from training.sources import open_source
from training.store import Store
from training.study import examples
from training.study.baselines import principal_components, vector_baselines
from training.study.evaluate import Photos, found_first, measure_errors, measure_retrieval, photos_per_second
from training.study.examples import Gallery
from training.study.local_features import local_feature_search
from training.study.plan import SEED, Dataset, Entry
from training.study.result import DESCRIPTION, EXAMPLES, Result
from training.study.searcher import Described, Searcher, by_vectors
from training.study.shown import photographs
from training.study.training import Workplace, train_once, write_file

Tell = Callable[[str], None]
# Entries whose codes are laid out in a plane: an autoencoder and the variational one that differs in nothing else.
LAID_OUT = ("convolution_dense_transpose", "variational_convolutional")
VALIDATION_SHARE = 0.1
BATCH_SIZE = 256


def study(
    datasets: Sequence[Dataset], workplace: Workplace, *, tell: Tell, make_line: Callable[[], EpochLine] | None = None
) -> None:
    """Trains and evaluates what is missing of the data sets' entries, the baselines, and then the curves.

    Calls `tell(line)` before each step, and shows each training on a line of its own. What is finished below the
    workplace is used as it is. Raises what `training.train.train` raises.
    """
    for dataset in datasets:
        _study_entries(dataset, dataset.entries, workplace, tell=tell, make_line=make_line)
        _study_baselines(dataset, workplace, tell)
    for dataset in datasets:
        _study_entries(dataset, dataset.curve, workplace, tell=tell, make_line=make_line)
    for dataset in datasets:
        tell(f"{dataset.name}: encode rates")
        _measure_rates(dataset, workplace)


def open_photos(dataset: Dataset, workplace: Workplace) -> Photos:
    """Returns the decoded photos of a data set: the same cache, and the same split, as its trainings use."""
    training, test = (_cached(dataset, source, workplace) for source in (dataset.training, dataset.test))
    pixels = training.open()
    class_names, labels = np.unique(np.concatenate([training.labels(), test.labels()]), return_inverse=True)
    for_training, for_validation = split(len(pixels), validation_share=VALIDATION_SHARE, seed=SEED)
    return Photos(
        training=pixels[for_training],
        validation=pixels[for_validation],
        test=np.asarray(test.open()),
        training_labels=labels[for_training],
        test_labels=labels[len(pixels) :],
        class_names=class_names,
    )


def _cached(dataset: Dataset, source: str, workplace: Workplace) -> PhotoCache:
    return cache_photos(
        open_source(source, data_dir=workplace.data_dir),
        cache=workplace.photos,
        size=dataset.size,
        channels=dataset.channels,
        seed=SEED,
    )


def _study_entries(
    dataset: Dataset,
    entries: Sequence[Entry],
    workplace: Workplace,
    *,
    tell: Tell,
    make_line: Callable[[], EpochLine] | None,
) -> None:
    photos = open_photos(dataset, workplace)
    for entry in entries:
        tell(f"{dataset.name}: {entry.name}")
        trained = train_once(entry, dataset, workplace, make_line=make_line)
        if _is_done(workplace, dataset, entry.name, encoder_id=trained.encoder_id):
            continue
        encoder = load(Store(workplace.store), trained.encoder_id, batch_size=BATCH_SIZE)
        result = replace(
            _evaluate(_search_by(encoder, entry), dataset, photos, workplace),
            kind=entry.kind,
            number=entry.number,
            recipe=entry.recipe,
            encoder_id=trained.encoder_id,
            parameters=trained.parameters,
            epochs=len(trained.history),
            # The median: an epoch during which the machine did something else does not count.
            training_seconds=round(len(trained.history) * median(seconds for *_, seconds in trained.history), 1),
            history=[losses for *losses, _ in trained.history],
        )
        _keep(result, workplace)


def _search_by(encoder: SavedEncoder, entry: Entry) -> Searcher:
    return by_vectors(
        entry.name,
        encoder.encode,
        title=entry.title,
        distance=encoder.spec.distance,
        reconstruct=lambda photos: encoder.decode(encoder.encode(photos)),
    )


def _measure_rates(dataset: Dataset, workplace: Workplace) -> None:
    """Measures the encode rates of all entries one after the other: what was measured hours apart does not compare."""
    photos = open_photos(dataset, workplace)
    for entry in (*dataset.entries, *dataset.curve):
        encoder = load(Store(workplace.store), train_once(entry, dataset, workplace).encoder_id, batch_size=BATCH_SIZE)
        result = _read(workplace, dataset.name, entry.name)
        rate = photos_per_second(_search_by(encoder, entry), photos)
        _keep(replace(result, encode_per_second=round(rate, 1)), workplace)


def _study_baselines(dataset: Dataset, workplace: Workplace, tell: Tell) -> None:
    photos = open_photos(dataset, workplace)
    for searcher in (*vector_baselines(), local_feature_search()):
        if not _is_done(workplace, dataset, searcher.name):
            tell(f"{dataset.name}: {searcher.name}")
            _keep(_evaluate(searcher, dataset, photos, workplace), workplace)
    for dimension in (dataset.dimension, *dataset.pca_dimensions):
        name = "pca" if dimension == dataset.dimension else f"pca@{dimension}"
        if not _is_done(workplace, dataset, name):
            tell(f"{dataset.name}: {name}")
            searcher = principal_components(photos.training, dimension=dimension, name=name)
            _keep(_evaluate(searcher, dataset, photos, workplace), workplace)


def _evaluate(searcher: Searcher, dataset: Dataset, photos: Photos, workplace: Workplace) -> Result:
    """Returns what is measured of one way to search, and writes what the pictures show of it."""
    described = searcher.describe(photos.test)
    found = found_first(searcher, described, photos)
    directory = _directory(workplace, dataset.name, searcher.name)
    directory.mkdir(parents=True, exist_ok=True)
    arrays = _examples(searcher, dataset, photos, described, found)
    np.savez_compressed(directory / EXAMPLES, allow_pickle=False, **arrays)
    return Result(
        dataset=dataset.name,
        entry=searcher.name,
        title=searcher.title,
        kind="baseline",
        number=0,
        dimension=searcher.dimension or described.shape[1],
        distance=searcher.distance,
        encode_per_second=round(photos_per_second(searcher, photos), 1),
        retrieval=measure_retrieval(searcher, described, photos),
        robustness={name: float(is_found.mean()) for name, is_found in found.items()},
        errors=measure_errors(searcher.reconstruct, photos) if searcher.reconstruct else None,
    )


def _examples(
    searcher: Searcher, dataset: Dataset, photos: Photos, described: Described, found: dict[str, np.ndarray]
) -> examples.Arrays:
    if searcher.max_queries:  # too slow to ask for every photo
        return {}
    if not dataset.are_photos_free:
        shown, labels, names = photographs(dataset.size)
        return examples.collect(searcher, Gallery(shown, labels, names, searcher.describe(shown)))
    gallery = Gallery(photos.test, photos.test_labels, photos.class_names, described)
    arrays = examples.collect(searcher, gallery)
    arrays |= examples.disturbed(searcher, photos, described, found)
    if searcher.name in LAID_OUT:
        arrays |= examples.plane(searcher, photos, described)
    return arrays


def _is_done(workplace: Workplace, dataset: Dataset, name: str, *, encoder_id: str | None = None) -> bool:
    """Returns whether that entry was evaluated, with that very encoder."""
    try:
        return _read(workplace, dataset.name, name).encoder_id == encoder_id
    except (FileNotFoundError, ValidationError):
        return False


def _read(workplace: Workplace, dataset: str, entry: str) -> Result:
    return TypeAdapter(Result).validate_json((_directory(workplace, dataset, entry) / DESCRIPTION).read_bytes())


def _keep(result: Result, workplace: Workplace) -> None:
    write_file(_directory(workplace, result.dataset, result.entry) / DESCRIPTION, result)


def _directory(workplace: Workplace, dataset: str, entry: str) -> Path:
    return workplace.results / dataset / entry
