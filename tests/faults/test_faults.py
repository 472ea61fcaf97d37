"""Commands are killed where they write and at random: whatever happens, the store is whole, and whole again after.

These are some of the trials; `python -m benchmarks.faults` makes hundreds.
"""

import random
from pathlib import Path

import pytest

from tests.faults.scenes import COMMANDS, make_scene
from tests.faults.trials import places_of, rows_of, try_kill_after, try_kill_at

PER_COMMAND = 3


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_command_that_is_killed_loses_nothing(tmp_path: Path, verb: str):
    """At some of its places and once at random: answers are those before or after, and a second run completes it."""
    command = make_scene(tmp_path, verb)
    before = rows_of(command.store)
    places = places_of(command, tmp_path)
    after = rows_of(command.store)
    chance = random.Random(verb)  # noqa: S311 (no secret)
    trials = [try_kill_at(place, command, before=before, after=after) for place in chance.sample(places, PER_COMMAND)]
    assert all(trial.was_killed for trial in trials)
    trials.append(try_kill_after(chance.uniform(0.3, 1.5), command, before=before, after=after))
    assert [(trial.where, trial.problems) for trial in trials if trial.problems] == []
