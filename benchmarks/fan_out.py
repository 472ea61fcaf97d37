"""What lookups take that ask many searchers at once: by their number, with stragglers, with a searcher lost.

    python -m benchmarks.fan_out

Simulated, from the times that `benchmarks.scale` measured: `benchmarks/fan_out_simulation.py` is the model. Writes its
section of RESULTS.md, the figures for docs/scale.md, and the picture there.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.fan_out_simulation import Answered, Part, ServiceTimes, simulate
from benchmarks.results import write_section
from benchmarks.sizing import read_measured

RECORD = Path(__file__).with_name("fan_out.json")
PICTURE = Path(__file__).parents[1] / "docs" / "fan-out.svg"
PHOTOS = 100_000_000
SEARCHERS = (1, 4, 16, 64, 256)
# Cores of a searcher, and how busy they are.
CORES, BUSY = 8, 0.5
# Between machines, there and back, and to merge; and what any machine does now and then: assumptions.
NETWORK_SECONDS = 0.002
STALLS, STALL_SECONDS, STALL_TAIL = 0.001, 0.2, 1.5
# A request is repeated once it takes longer than so many of a hundred do.
HEDGED_ABOVE = 0.95
# A searcher that is lost: noticed, and a new one has its files, checked and opened, so much later.
NOTICED_SECONDS, LOST_SECONDS = 1.0, 300.0
LOST_AT = 60.0
QUERIES = 4_000
SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Case:
    """So many searchers, each with so many copies, and whether slow requests are repeated."""

    searchers: int
    copies: int
    is_hedged: bool


def service_times(searchers: int) -> ServiceTimes:
    """Returns how long one of so many searchers takes for its part of a lookup, on one core."""
    measured = read_measured()
    whole = measured.search_seconds(PHOTOS)
    shape = np.array(measured.search_quantiles) / np.mean(measured.search_quantiles)
    quantiles = NETWORK_SECONDS + whole / searchers * shape
    return ServiceTimes(
        quantiles=quantiles.tolist(), stalls=STALLS, stall_seconds=STALL_SECONDS, stall_tail=STALL_TAIL
    )


def rate_of(case: Case, times: ServiceTimes) -> float:
    """Returns the lookups a second that keep the searchers as busy as they shall be."""
    return BUSY * CORES * case.copies / times.mean


def part_of(case: Case, times: ServiceTimes) -> Part:
    """Returns one searcher's part."""
    hedge_after = None
    if case.is_hedged:
        # As the dispatcher would learn it from its own requests, without those that wait.
        drawn = times.draw(np.random.default_rng(0), 20_000)
        hedge_after = float(np.quantile(drawn, HEDGED_ABOVE))
    return Part(copies=case.copies, slots=CORES, hedge_after=hedge_after)


def measure(case: Case, *, queries: int = QUERIES) -> tuple[float, Answered]:
    """Returns lookups a second, and how long they take."""
    times = service_times(case.searchers)
    rate = rate_of(case, times)
    return rate, simulate([part_of(case, times)] * case.searchers, times, rate=rate, queries=queries)


def lose_one(searchers: int, copies: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns when lookups came and how long each took, where one searcher of those is lost for a while."""
    case = Case(searchers, copies, is_hedged=copies > 1)
    times = service_times(searchers)
    # Fewer lookups than the searchers can bear: those that are left have to bear them, too.
    rate = min(rate_of(case, times), QUERIES / (LOST_AT + LOST_SECONDS))
    part = part_of(case, times)
    lost = replace(part, lost_at=LOST_AT, lost_for=LOST_SECONDS, noticed_after=NOTICED_SECONDS)
    found = simulate([lost, *[part] * (searchers - 1)], times, rate=rate, queries=QUERIES + QUERIES // 2)
    arrivals = np.cumsum(np.random.default_rng(0).exponential(1 / rate, len(found.seconds)))
    return arrivals, found.seconds
