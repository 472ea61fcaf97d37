"""Runs the study: trains every entry, evaluates it and the baselines, and goes on where it was stopped."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from evaluation.baselines import fixed_baselines, principal_components
from evaluation.search_method import Described, SearchMethod, by_vectors
from evaluation.study import costs, examples
from evaluation.study.current import settings_of
from evaluation.study.evaluate import found_first, measure_errors, measure_retrieval
from evaluation.study.examples import Gallery
from evaluation.study.photos import open_photos
from evaluation.study.plan import Dataset, Entry
from evaluation.study.result import DESCRIPTION, EXAMPLES, Result, read_result
from evaluation.study.shown import photographs
from evaluation.study.studied import PLAIN, VARIATIONAL
from evaluation.study.training import Training, train_once
from evaluation.study.workplace import Workplace
from foundation.encoder import SavedEncoder, load
from foundation.errors import ArtifactRefusedError
from foundation.files import replace_file
from foundation.store import artifact
from foundation.store.files import Store
from training.fitting.display import Display

# The codes of these entries are laid out in a plane, which takes minutes for each.
LAID_OUT = (PLAIN, VARIATIONAL)
BATCH_SIZE = 256


def study(
    datasets: Sequence[Dataset],
    workplace: Workplace,
    *,
    tell: Callable[[str], None],
    make_line: Callable[[], Display] | None = None,
) -> None:
    """Trains and evaluates what is missing of the data sets' entries, the baselines, the curves, and then the costs.

    Calls `tell(line)` before each step, and shows each training on a line of its own. What is finished below the
    workplace is used as it is. Raises UsageError on photos without classes, and what `training.train.train` raises.
    """
    # All photos are read before the first training: a source that cannot be used is refused now, not after hours.
    studies = [DatasetStudy(dataset, workplace, tell=tell, make_line=make_line) for dataset in datasets]
    for each in studies:
        each.study_entries(each.dataset.entries)
        each.study_baselines()
    # The tables of all data sets come before the curves, so that an interrupted study has a page of use.
    for each in studies:
        each.study_entries(each.dataset.curve)
    for each in studies:
        each.measure_costs()


class DatasetStudy:
    """The study of one data set, step by step; its photos are read once."""

    def __init__(
        self,
        dataset: Dataset,
        workplace: Workplace,
        *,
        tell: Callable[[str], None],
        make_line: Callable[[], Display] | None = None,
    ):
        tell(f"{dataset.name}: reading {dataset.training} and {dataset.test}")
        self.dataset = dataset
        self._workplace = workplace
        self._tell = tell
        self._make_line = make_line
        self._photos = open_photos(dataset, workplace)
        replace_file(workplace.photos_record(dataset.name), self._photos.digest.encode())

    def study_entries(self, entries: Sequence[Entry]) -> None:
        """Trains and evaluates those entries, where that was not done before."""
        for entry in entries:
            self._tell(f"{self.dataset.name}: {entry.name}")
            trained = self._train(entry)
            if self._is_done(entry.name, encoder_id=trained.encoder_id):
                continue
            described = self._evaluate(_search_by(self._load(trained), entry))
            result = replace(
                described,
                kind=entry.kind,
                number=entry.number,
                recipe=entry.recipe,
                encoder_id=trained.encoder_id,
                parameters=trained.parameters,
                history=trained.history,
                settings=settings_of(entry.settings(self.dataset)),
            )
            self._keep(result)

    def study_baselines(self) -> None:
        """Evaluates what needs no neural network, where that was not done before."""
        for name in self.dataset.baselines:
            if not self._is_done(name):
                self._tell(f"{self.dataset.name}: {name}")
                self._keep(self._evaluate(self._baseline(name)))

    def measure_costs(self) -> None:
        """Measures what every entry costs, if that of one is missing: times taken hours apart do not compare."""
        entries, baselines = self.dataset.every_entry, self.dataset.baselines
        if all(self._read(name).encode_per_second for name in (*entries, *baselines)):
            return
        for entry in entries.values():
            self._tell(f"{self.dataset.name}: costs of {entry.name}")
            trained, photos = self._train(entry), self._photos
            seconds = costs.training_seconds(entry.settings(self.dataset), photos, epochs=len(trained.history))
            rate = costs.photos_per_second(self._load(trained).encode, photos)
            self._keep(replace(self._read(entry.name), encode_per_second=rate, training_seconds=seconds))
        for name in baselines:
            self._tell(f"{self.dataset.name}: costs of {name}")
            rate = costs.photos_per_second(self._baseline(name).describe, self._photos)
            self._keep(replace(self._read(name), encode_per_second=rate))

    def _baseline(self, name: str) -> SearchMethod:
        """Returns the baseline of that name; PCA is fitted anew, since nothing of it is kept but its result."""
        dimension = self.dataset.every_pca.get(name)
        if dimension is None:
            return fixed_baselines()[name]
        return principal_components(self._photos.training, dimension=dimension, name=name)

    def _train(self, entry: Entry) -> Training:
        return train_once(entry, self.dataset, self._photos, self._workplace, make_line=self._make_line)

    def _load(self, trained: Training) -> SavedEncoder:
        return load(Store(self._workplace.store), trained.encoder_id, batch_size=BATCH_SIZE)

    def _evaluate(self, method: SearchMethod) -> Result:
        """Returns what is measured of one way to search, and writes what the pictures show of it."""
        photos = self._photos
        described = method.describe(photos.test)
        found = found_first(method, described, photos)
        packed = io.BytesIO()
        np.savez_compressed(packed, allow_pickle=False, **self._examples(method, described, found))
        # The examples are written before the result: an entry without a result is evaluated again, one with is not.
        replace_file(self._workplace.result(self.dataset.name, method.name) / EXAMPLES, packed.getvalue())
        return Result(
            dataset=self.dataset.name,
            entry=method.name,
            title=method.title,
            kind="baseline",
            number=0,
            dimension=method.dimension or described.shape[1],
            distance=method.distance,
            photos=photos.digest,
            retrieval=measure_retrieval(method, described, photos),
            robustness={name: float(is_found.mean()) for name, is_found in found.items()},
            errors=measure_errors(method.reconstruct, photos) if method.reconstruct else None,
        )

    def _examples(self, method: SearchMethod, described: Described, found: dict[str, np.ndarray]) -> examples.Arrays:
        photos = self._photos
        if method.max_queries:  # too slow to ask for every photo
            return {}
        if not self.dataset.are_photos_free:
            # Classes are the photographs that the cuts are of: neighbours of one photograph are right answers.
            shown, labels, names = photographs(self.dataset.size)
            return examples.collect(method, Gallery(shown, labels, names, method.describe(shown)))
        arrays = examples.collect(method, Gallery(photos.test, photos.test_labels, photos.class_names, described))
        arrays |= examples.disturbed(method, photos, described, found)
        if method.name in LAID_OUT:
            arrays |= examples.plane(method, photos, described)
        return arrays

    def _is_done(self, name: str, *, encoder_id: str | None = None) -> bool:
        """Returns whether that entry was evaluated on these very photos, with that very encoder."""
        try:
            stored = self._read(name)
        except (FileNotFoundError, ArtifactRefusedError):
            return False  # a damaged result is made again, and replaced
        return (stored.encoder_id, stored.photos) == (encoder_id, self._photos.digest)

    def _read(self, name: str) -> Result:
        return read_result(self._workplace.result(self.dataset.name, name))

    def _keep(self, result: Result) -> None:
        replace_file(self._workplace.result(result.dataset, result.entry) / DESCRIPTION, artifact.to_json(result))


def _search_by(encoder: SavedEncoder, entry: Entry) -> SearchMethod:
    return by_vectors(
        entry.name,
        encoder.encode,
        title=entry.title,
        distance=encoder.spec.distance,
        reconstruct=lambda photos: encoder.decode(encoder.encode(photos)),
    )
