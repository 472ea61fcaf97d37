"""Lowers the learning rate over the steps of a training."""

import keras

WARM_UP_SHARE = 0.05
# Of the learning rate, at the end of an exponential one.
LAST_SHARE = 0.01


def learning_rate(schedule: str, *, highest: float, steps: int):
    """Returns the learning rate over so many steps, as an optimizer takes it: a number, or a Keras schedule.

    `constant`: the highest throughout. `cosine`: warms up over 5 % of the steps, then falls to 0 along half a cosine
    (Loshchilov and Hutter 2017, without restarts). `exponential`: falls to 1 % by the same factor at each step.
    `step`: a tenth after half of the steps, and a hundredth after three quarters.
    """
    schedules = keras.optimizers.schedules
    if schedule == "cosine":
        warm_up = int(steps * WARM_UP_SHARE)
        # Adam's first steps are as large as its later ones, while its averages still rest on a few batches only.
        return schedules.CosineDecay(
            highest / 10 if warm_up else highest,
            decay_steps=max(1, steps - warm_up),
            warmup_target=highest if warm_up else None,
            warmup_steps=warm_up,
        )
    if schedule == "exponential":
        return schedules.ExponentialDecay(highest, decay_steps=steps, decay_rate=LAST_SHARE)
    if schedule == "step":
        return schedules.PiecewiseConstantDecay([steps // 2, steps * 3 // 4], [highest, highest / 10, highest / 100])
    return highest
