"""The simulation of lookups that ask many searchers at once."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.fan_out_simulation import Part, ServiceTimes, simulate

CONSTANT = ServiceTimes(quantiles=[0.01, 0.01])


def exponential(mean: float) -> ServiceTimes:
    """Returns exponential service times, as a fine table of their quantiles."""
    shares = np.linspace(0, 1 - 1e-6, 20_001)
    return ServiceTimes(quantiles=(-mean * np.log1p(-shares)).tolist())


def test_one_busy_searcher_waits_as_queueing_theory_says():
    """With random arrivals and exponential times, the mean is 1 / (capacity - rate): the M/M/1 queue."""
    found = simulate([Part()], exponential(0.01), rate=50, queries=60_000)
    assert found.seconds.mean() == pytest.approx(1 / (100 - 50), rel=0.05)


def test_several_slots_wait_as_erlang_says():
    """Four slots at a load of 0.8 keep a query waiting for 0.746 of a service time: Erlang's formula C."""
    found = simulate([Part(slots=4)], exponential(0.01), rate=320, queries=80_000)
    assert found.seconds.mean() == pytest.approx(0.01 * (1 + 0.7455), rel=0.05)


def test_a_lookup_is_as_slow_as_its_slowest_part():
    """What one part in a hundred queries does slowly, most lookups of a hundred parts meet: 1 - 0.99 ** 100."""
    times = ServiceTimes(quantiles=[0.01, 0.01], stalls=0.01, stall_seconds=1)
    alone, many = (simulate([Part(slots=50)] * parts, times, rate=1, queries=2_000) for parts in (1, 100))
    assert (alone.seconds > 0.5).mean() == pytest.approx(0.01, abs=0.006)
    assert (many.seconds > 0.5).mean() == pytest.approx(1 - 0.99**100, abs=0.03)


def test_a_repeated_request_cuts_the_tail_and_costs_few_more():
    """The second copy answers where the first stands still; only what was slow is asked twice."""
    times = ServiceTimes(quantiles=[0.01, 0.01], stalls=0.02, stall_seconds=1)
    plain = simulate([Part(copies=2, slots=8)] * 10, times, rate=10, queries=4_000)
    hedged = simulate([Part(copies=2, slots=8, hedge_after=0.02)] * 10, times, rate=10, queries=4_000)
    assert plain.quantiles(0.95)[0] > 1
    assert hedged.quantiles(0.95)[0] < 0.05
    assert 1 < hedged.requests / plain.requests < 1.05


def test_a_request_is_never_repeated_on_the_copy_that_has_it():
    """A second time in the same queue would help nobody."""
    found = simulate([Part(slots=2, hedge_after=0.005)], CONSTANT, rate=20, queries=200)
    assert found.requests == 1


@pytest.mark.parametrize(("copies", "slowest"), [(1, 60), (2, 1.1)])
def test_a_lost_searcher_keeps_lookups_waiting_only_where_nobody_else_has_its_part(copies: int, slowest: float):
    """Without a copy, queries wait until it is back; with one, those alone that it was being asked, until noticed."""
    part = Part(copies=copies, slots=8, lost_at=10, lost_for=60, noticed_after=1)
    found = simulate([part, Part(copies=copies, slots=8)], CONSTANT, rate=50, queries=6_000)
    assert np.isfinite(found.seconds).all()
    assert found.seconds.max() == pytest.approx(slowest, rel=0.15)


def test_a_lost_searcher_answers_nothing_that_it_had_begun():
    """What ends after the loss was asked again: no answer comes from a machine that is gone."""
    times = ServiceTimes(quantiles=[5, 5])
    found = simulate([Part(copies=2, slots=99, lost_at=1, lost_for=1, noticed_after=1)], times, rate=100, queries=50)
    assert (found.seconds > 6).mean() == pytest.approx(0.5, abs=0.02)
    assert found.seconds[found.seconds < 6] == pytest.approx(5)


def test_the_same_seed_gives_the_same_figures():
    """A rerun says the same; another seed something else."""
    times = exponential(0.01)
    part = Part(copies=2, hedge_after=0.02)
    one, again, other = (simulate([part], times, rate=50, queries=500, seed=seed) for seed in (1, 1, 2))
    assert (one.seconds == again.seconds).all()
    assert not (one.seconds == other.seconds).all()


def test_service_times_are_drawn_between_the_quantiles():
    """Half of them lie below the middle one, and their mean is the one that is stated."""
    times = ServiceTimes(quantiles=[1, 2, 4])
    drawn = times.draw(np.random.default_rng(0), 50_000)
    assert np.median(drawn) == pytest.approx(2, rel=0.02)
    assert drawn.mean() == pytest.approx(times.mean, rel=0.02)
    stalling = replace(times, stalls=0.1, stall_seconds=1, stall_tail=3)
    assert stalling.draw(np.random.default_rng(0), 200_000).mean() == pytest.approx(stalling.mean, rel=0.02)
