"""The study on two tiny data sets: everything is trained, measured and shown once, and never again."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.study import plan, run
from evaluation.study.page import write_page
from evaluation.study.photos import VALIDATION_SHARE, _cached, open_photos
from evaluation.study.plan import Dataset, Entry
from evaluation.study.result import DISTURBANCES, read_examples
from evaluation.study.run import DatasetStudy, study
from evaluation.study.studied import read_studied
from evaluation.study.workplace import Workplace
from foundation.errors import UsageError
from tests.evaluation.study.made_photos import write_shard
from tests.photos import jpeg
from training.fitting.fit import make_batches

SMALL = {"epochs": 2, "batch_size": 8, "dimension": 8}
PLAIN = Entry(
    name="convolution_dense_transpose",
    title="plain",
    number=5,
    recipe="convolution_dense_transpose",
    changes={**SMALL, "filters": "4"},
)
WIDER = Entry(name="dense@12", title="dense", number=1, recipe="dense", changes={**SMALL, "dimension": 12})


@pytest.fixture(scope="module")
def datasets(tmp_path_factory) -> list[Dataset]:
    """A grey set whose photos are shown, with a curve, and a colour set whose photos are not."""
    folder = tmp_path_factory.mktemp("study")
    training, test = write_shard(folder / "a.tar", 48, seed=1), write_shard(folder / "b.tar", 24, seed=2)
    shared = {"training": training, "test": test, "size": 16, "dimension": 8}
    colour = Entry(name="dense", title="dense", number=1, recipe="dense", changes=SMALL)
    return [
        Dataset(name="grey", channels=1, entries=(PLAIN,), curve=(WIDER,), pca_dimensions=(4,), **shared),
        Dataset(name="colour", channels=3, entries=(colour,), are_photos_free=False, **shared),
    ]


@pytest.fixture(scope="module")
def workplace(datasets, tmp_path_factory) -> Workplace:
    """The place where both data sets were studied."""
    place = Workplace(tmp_path_factory.mktemp("work"))
    study(datasets, place, tell=lambda _line: None)
    return place


def test_everything_planned_is_measured(workplace, datasets):
    """Encoders, curve and baselines have results and costs; encoders their settings and losses too."""
    colour, grey = read_studied(workplace.results, datasets, tell=pytest.fail)
    assert {result.entry for result in grey.results} == {
        *("convolution_dense_transpose", "dense@12", "raw_pixels", "pca", "pca@4"),
        *("colour_histogram", "perceptual_hash", "difference_hash", "local_features"),
    }
    assert {result.entry for result in colour.encoders} == {"dense"}
    plain = grey.find("convolution_dense_transpose")
    assert (plain.dimension, len(plain.history)) == (8, 2)
    assert plain.parameters > 1_000
    assert plain.encode_per_second > 0
    assert plain.training_seconds > 0
    assert 0 < plain.errors.test < 0.3
    assert set(plain.robustness) == set(DISTURBANCES)
    assert plain.settings["filters"] == "4"
    assert plain.settings["epochs"] == 2
    assert all(result.encode_per_second > 0 for result in grey.main)
    raw = grey.find("raw_pixels")
    assert raw.retrieval.pixel_recall_at_10 == 1
    assert raw.retrieval.precision_at_4 > 0.9
    assert grey.find("dense@12").dimension == 12
    assert grey.find("pca@4").errors.test > grey.find("pca").errors.test


def test_photos_that_are_not_free_are_never_kept(workplace, datasets):
    """The arrays for the pictures of such a set hold photographs of scikit-image alone."""
    place = workplace.results / "colour" / "dense"
    shown = read_examples(place)
    test = open_photos(datasets[1], workplace).test
    kept = np.concatenate([array.reshape(-1, 16, 16, 3) for array in shown.values() if array.shape[-3:] == (16, 16, 3)])
    assert not (kept[:, None] == test).all(axis=(2, 3, 4)).any()
    assert {"disturbed", "plane_test"}.isdisjoint(shown)


def test_nothing_is_done_twice(workplace, datasets, monkeypatch):
    """A second study trains and evaluates nothing; one whose result is gone is evaluated, not trained."""
    evaluated = []
    monkeypatch.setattr("evaluation.study.training.train", None)
    original = DatasetStudy._evaluate
    monkeypatch.setattr(
        DatasetStudy, "_evaluate", lambda self, method: evaluated.append(method.name) or original(self, method)
    )
    study(datasets, workplace, tell=lambda _line: None)
    assert evaluated == []
    (workplace.results / "grey" / "dense@12" / "result.json").unlink()
    study(datasets, workplace, tell=lambda _line: None)
    assert evaluated == ["dense@12"]


def test_a_changed_recipe_is_trained_again(workplace, datasets, monkeypatch):
    """A record counts for the settings it was made with alone."""
    trained = []

    def stop(options, **_):
        trained.append(dict(options.overrides))
        raise KeyboardInterrupt

    monkeypatch.setattr("evaluation.study.training.train", stop)
    changed = replace(PLAIN, changes={**PLAIN.changes, "epochs": 3})
    with pytest.raises(KeyboardInterrupt):
        study([replace(datasets[0], entries=(changed,))], workplace, tell=lambda _line: None)
    assert trained[0]["epochs"] == 3


def test_an_interrupted_study_keeps_what_it_has(datasets, tmp_path, monkeypatch):
    """A page can be written of the entries that were finished."""
    place = Workplace(tmp_path)
    original = run.measure_errors

    def interrupt(reconstruct, photos):
        if (place.results / "grey" / "convolution_dense_transpose" / "result.json").exists():
            raise KeyboardInterrupt
        return original(reconstruct, photos)

    monkeypatch.setattr(run, "measure_errors", interrupt)
    with pytest.raises(KeyboardInterrupt):
        study(datasets, place, tell=lambda _line: None)
    write_page(place.results, tmp_path / "page", datasets=datasets, tell=print)
    assert "plain" in (tmp_path / "page" / "README.md").read_text()


def test_other_photos_are_another_study(workplace, datasets, monkeypatch):
    """Results and trainings count for the photos they were made with alone, whatever these are called."""
    grey = datasets[0]
    other = Dataset(
        **{**vars(grey), "entries": (), "curve": (), "test": write_shard(workplace.directory / "c.tar", 24, seed=3)}
    )
    before = {path: path.read_bytes() for path in workplace.results.glob("grey/raw_pixels/result.json")}
    study([other], workplace, tell=lambda _line: None)
    assert before
    assert all(path.read_bytes() != content for path, content in before.items())


def test_photos_without_a_class_are_refused(tmp_path):
    """Retrieval by class has no meaning without classes: nothing is trained."""
    (tmp_path / "photos").mkdir()
    for number in range(4):
        photo = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(jpeg(photo))
    source = str(tmp_path / "photos")
    unlabelled = Dataset(name="colour", channels=3, training=source, test=source, size=16, dimension=8, entries=())
    with pytest.raises(UsageError, match=r"8 of 8 photos of .* have no class; expected sources that tell one"):
        study([unlabelled], Workplace(tmp_path / "work"), tell=lambda _line: None)


def test_the_split_is_that_of_the_trainings(workplace, datasets):
    """What is called validation was never trained on: both come from the same seed and share."""
    photos = open_photos(datasets[0], workplace)
    assert len(photos.validation) == round(48 * VALIDATION_SHARE)
    batches, validation = make_batches(
        PLAIN.settings(datasets[0]), _cached(datasets[0], datasets[0].training, workplace), seed=plan.SEED
    )
    trained_on = np.concatenate([batches.photos[batches.indices]])
    np.testing.assert_array_equal(trained_on, photos.training)
    np.testing.assert_array_equal(validation.photos[validation.indices], photos.validation)


def test_the_plan_names_each_system_once_and_fits_its_recipes():
    """The thirteen systems of the literature and the default recipe; every entry's settings are valid."""
    planned = plan.plan(plan.GREY, ("training", "test"))
    numbers = {entry.number for dataset in planned for entry in dataset.entries}
    assert numbers == {*range(1, plan.SYSTEMS + 1), plan.DEFAULT_ENTRY.number}
    assert plan.SYSTEMS == 13 < plan.DEFAULT_ENTRY.number
    for dataset in planned:
        names = [entry.name for entry in (*dataset.entries, *dataset.curve)]
        assert len(set(names)) == len(names)
        for entry in (*dataset.entries, *dataset.curve):
            assert entry.settings(dataset).channels == dataset.channels
            assert entry.settings(dataset).validation_share == VALIDATION_SHARE
    with pytest.raises(UsageError, match="no data set 'cifar' in the study; expected one of: mnist, fashion_mnist"):
        plan.plan(["cifar"], None)
