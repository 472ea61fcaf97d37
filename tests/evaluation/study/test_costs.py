"""Costs: medians of what is timed, first calls left out; counted up to all batches of all epochs."""

from dataclasses import replace

import pytest

from evaluation.study import costs
from evaluation.study.plan import DENSE, Dataset
from tests.evaluation.study.made_photos import made_photos
from training.objective import Models
from training.objectives import reconstruction

DATASET = Dataset(name="made", training="", test="", size=16, channels=1, dimension=8, entries=())
SMALL = replace(DENSE, changes={"batch_size": 8, "dimension": 8})


class Clock:
    """A clock that stands still but for what is said to take time."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        """Returns the seconds that have passed."""
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The clock that costs are measured by."""
    made = Clock()
    monkeypatch.setattr(costs.time, "perf_counter", made.perf_counter)
    return made


def test_the_rate_is_the_median_without_the_first_call(clock):
    """The first call traces the model, and one of the others met other work."""
    seconds = iter([100.0, 2.0, 50.0, 3.0])
    sizes = []

    def describe(photos):
        sizes.append(len(photos))
        clock.now += next(seconds)

    assert costs.photos_per_second(describe, made_photos()) == 24 / 3
    assert sizes == [24] * 4


def test_no_more_photos_are_timed_than_needed(clock, monkeypatch):
    """A large test split would take minutes."""
    monkeypatch.setattr(costs, "TIMED_PHOTOS", 10)

    def describe(photos):
        clock.now += 0.1 * len(photos)

    assert costs.photos_per_second(describe, made_photos()) == pytest.approx(10)


@pytest.mark.parametrize("epochs", [1, 6])
def test_the_time_of_a_training_is_counted_up(clock, monkeypatch, epochs):
    """Forty photos in batches of eight, at the median time of a batch: warm-up batches count for nothing."""
    trained = []

    class Model:
        """Takes long for its first batches."""

        def compile(self, *_args, **_kwargs):
            """Does nothing."""

        def train_on_batch(self, photos, _clean):
            """Passes time."""
            trained.append(len(photos))
            timed = len(trained) - costs.WARM_UP_BATCHES
            clock.now += 9.0 if timed <= 0 else timed

    built = Models(fitted=Model(), loss="mean_squared_error", encoder=Model(), heads={})
    monkeypatch.setattr(reconstruction, "build", lambda _settings: built)
    assert costs.training_seconds(SMALL.settings(DATASET), made_photos(), epochs=epochs) == 10.5 * 5 * epochs
    assert trained == [8] * (costs.WARM_UP_BATCHES + costs.TIMED_BATCHES)


def test_a_real_training_takes_time():
    """The network of a recipe is built and trained on its own loss."""
    assert costs.training_seconds(SMALL.settings(DATASET), made_photos(), epochs=2) > 0
