"""Learning rates at the start, in the middle and at the end of a training."""

import pytest

from training.fitting.schedules import learning_rate


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1]),
        ("cosine", [0.1, 1, 0.5, 0]),
        ("exponential", [1, 0.794328, 0.089125, 0.01]),
        ("step", [1, 1, 0.1, 0.01]),
    ],
)
def test_rate_after_so_many_steps(schedule, expected):
    """Of a thousand: none, those of the warm-up, half of the rest, and all."""
    rate = learning_rate(schedule, highest=1.0, steps=1000)
    found = [float(rate(step)) if callable(rate) else rate for step in (0, 50, 525, 1000)]
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "exponential", "step"])
def test_a_training_of_one_step_has_a_rate(schedule):
    """The shortest training learns too."""
    rate = learning_rate(schedule, highest=0.5, steps=1)
    assert (float(rate(0)) if callable(rate) else rate) == 0.5
