"""What is made of the simulation of many searchers: cases, sections and the picture."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import fan_out
from benchmarks.fan_out import Case, loss_of, part_of, rate_of, section, service_times


def test_more_searchers_have_less_to_do_each():
    """The part of a lookup that a searcher has shrinks with their number, but for the network and the stalls."""
    few, many = service_times(4), service_times(256)
    assert few.quantiles[-1] > 30 * many.quantiles[-1] > 30 * fan_out.NETWORK_SECONDS
    assert few.stalls == many.stalls


def test_searchers_are_as_busy_as_they_shall_be():
    """A second copy bears twice the lookups; a slow request is one in twenty, and only where another copy is."""
    times = service_times(64)
    one, two = (rate_of(Case(64, copies, is_hedged=False), times) for copies in (1, 2))
    assert one * times.mean == pytest.approx(fan_out.BUSY)
    assert two == pytest.approx(2 * one)
    assert part_of(Case(64, 2, is_hedged=False), times).hedge_after is None
    assert part_of(Case(64, 2, is_hedged=True), times).hedge_after > times.quantiles[0]


def test_what_a_loss_costs_is_counted_while_it_lasts():
    """Lookups that came before it, and long before it, are what the others are compared with."""
    arrivals = np.array([1.0, 2, fan_out.LOST_AT - 1, fan_out.LOST_AT + 1, fan_out.LOST_AT + 2])
    found = loss_of(2, arrivals, np.array([1.0, 1, 50, 7, 9]))
    assert (found["before"], found["during_p50"], found["longest"]) == (1, 8, 50)


def test_windows_hold_what_came_in_them():
    """Each window has its own median and its own slowest lookup; one without any is left out."""
    times, middle, slowest = fan_out.in_windows(np.array([0.1, 1, 2, 12]), np.array([1.0, 2, 9, 4]))
    assert (times.tolist(), middle.tolist(), slowest.tolist()) == ([2.5, 12.5], [2, 4], [9, 4])


def test_sections_and_picture_show_each_case(tmp_path: Path):
    """A row for each case and each number of copies, and the same picture from the same figures."""
    pytest.importorskip("matplotlib", reason="the picture needs the extra `study`")
    rows = [
        {**vars(Case(searchers, 2, is_hedged)), "rate": 5.0, "p50": 1.0, "p95": 2.0, "p99": 3.0, "requests": 1.05}
        for searchers in fan_out.SEARCHERS
        for is_hedged in (False, True)
    ]
    lost = {copies: (np.arange(9.0) * 60, np.arange(1.0, 10)) for copies in (1, 2)}
    text = section(rows, [loss_of(copies, *found) for copies, found in lost.items()])
    assert text.count("| 64 | 2 |") == 2
    for name in ("a.svg", "b.svg"):
        fan_out.draw(rows, lost, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
