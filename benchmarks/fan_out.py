"""What lookups take that ask many searchers at once: by their number, with stragglers, with a searcher lost.

    python -m benchmarks.fan_out

Simulated, from the times that `benchmarks.scale` measured: `benchmarks/fan_out_simulation.py` is the model. Writes its
section of RESULTS.md, the figures for docs/scale.md, and the picture there.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fan_out_simulation import Answered, Part, ServiceTimes, simulate
from benchmarks.results import write_section
from benchmarks.sizing import read_measured

RECORD = Path(__file__).with_name("fan_out.json")
PICTURE = Path(__file__).parents[1] / "docs" / "fan-out.svg"
PHOTOS = 100_000_000
SEARCHERS = (4, 16, 64, 256)
# Cores of a searcher, and how busy they are.
CORES, BUSY = 8, 0.5
# Between machines, there and back, and to merge; and what any machine does now and then: assumptions.
NETWORK_SECONDS = 0.002
STALLS, STALL_SECONDS, STALL_TAIL = 0.001, 0.2, 1.5
# A request is repeated once it takes longer than this share of all requests do.
HEDGED_ABOVE = 0.95
# A searcher that is lost: noticed, and a new one has its files, checked and opened, so much later.
NOTICED_SECONDS, LOST_SECONDS = 1.0, 300.0
LOST_AT = 60.0
# What the picture shows together.
WINDOW_SECONDS = 5.0
LOST_SEARCHERS = 64
# How many copies there are, and whether slow requests are repeated.
WAYS = ((1, False), (2, False), (2, True))
QUERIES, LEARNED_FROM = 2_000, 20_000
SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Case:
    """So many searchers, each with so many copies, and whether slow requests are repeated."""

    searchers: int
    copies: int
    is_hedged: bool


def service_times(searchers: int) -> ServiceTimes:
    """Returns how long one of so many searchers takes for its part of a lookup, which has all of its cores."""
    measured = read_measured()
    whole = measured.search_seconds(PHOTOS)
    shape = np.array(measured.search_quantiles) / np.mean(measured.search_quantiles)
    quantiles = NETWORK_SECONDS + whole / searchers / CORES * shape
    return ServiceTimes(quantiles=quantiles.tolist(), stalls=STALLS, stall_seconds=STALL_SECONDS, stall_tail=STALL_TAIL)


def rate_of(case: Case, times: ServiceTimes) -> float:
    """Returns the lookups a second that keep the searchers as busy as they shall be."""
    return BUSY * case.copies / times.mean


def part_of(case: Case, times: ServiceTimes) -> Part:
    """Returns one searcher's part."""
    part = Part(copies=case.copies)
    if not case.is_hedged:
        return part
    # The dispatcher learns it from the answers that it gets, which waited for others.
    alone = simulate([part], times, rate=rate_of(case, times), queries=LEARNED_FROM, seed=1)
    return replace(part, hedge_after=float(np.quantile(alone.seconds, HEDGED_ABOVE)))


def measure(case: Case, *, queries: int = QUERIES) -> tuple[float, Answered]:
    """Returns lookups a second, and how long they take."""
    times = service_times(case.searchers)
    rate = rate_of(case, times)
    return rate, simulate([part_of(case, times)] * case.searchers, times, rate=rate, queries=queries)


def lose_one(searchers: int, copies: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns when lookups came and how long each took, where one searcher of those is lost for a while."""
    case = Case(searchers, copies, is_hedged=copies > 1)
    times = service_times(searchers)
    # No more than one copy can bear, if half of them are gone.
    rate = rate_of(Case(searchers, 1, is_hedged=False), times)
    part = part_of(case, times)
    lost = replace(part, lost_at=LOST_AT, lost_for=LOST_SECONDS, noticed_after=NOTICED_SECONDS)
    queries = round(rate * (2 * LOST_AT + LOST_SECONDS))
    found = simulate([lost, *[part] * (searchers - 1)], times, rate=rate, queries=queries)
    return found.arrivals, found.seconds


def rows_of(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Returns what each case comes to."""
    found = []
    for case in cases:
        rate, answered = measure(case)
        seconds = dict(zip(("p50", "p95", "p99"), answered.quantiles(*SHARES), strict=True))
        found.append({**vars(case), "rate": rate, **seconds, "requests": answered.requests / case.searchers})
        print(found[-1], flush=True)
    return found


def loss_of(copies: int, arrivals: np.ndarray, seconds: np.ndarray) -> dict[str, Any]:
    """Returns what lookups took before and while one searcher was lost."""
    # The last lookups before the loss were still being answered when it came.
    before, during = arrivals < LOST_AT / 2, (arrivals >= LOST_AT) & (arrivals < LOST_AT + LOST_SECONDS)
    return {
        "copies": copies,
        "before": float(np.quantile(seconds[before], 0.99)),
        "during_p50": float(np.median(seconds[during])),
        "during_p99": float(np.quantile(seconds[during], 0.99)),
        "longest": float(seconds.max()),
    }


def in_windows(arrivals: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the middles of windows of time, and the median and the greatest seconds of what came in each."""
    windows = np.floor(arrivals / WINDOW_SECONDS)
    present = np.unique(windows)
    middle = np.array([np.median(seconds[windows == one]) for one in present])
    slowest = np.array([seconds[windows == one].max() for one in present])
    return (present + 0.5) * WINDOW_SECONDS, middle, slowest


def draw(rows: Sequence[dict[str, Any]], lost: dict[int, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """Draws how long lookups take by the number of searchers, and what a lost searcher does to them."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt
    from matplotlib import ticker

    mpl.use("Agg")
    # Text stays text, and the same figures make the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fan-out", "font.size": 10}):
        picture, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
        for share, colour in (("p50", "#8aa5c8"), ("p99", "#2456a6")):
            for is_hedged, style in ((False, "o-"), (True, "s--")):
                some = [row for row in rows if row["is_hedged"] == is_hedged and row["copies"] == 2]
                label = f"{share}, {'slow requests repeated' if is_hedged else 'asked once'}"
                searchers, seconds = [row["searchers"] for row in some], [row[share] for row in some]
                left.plot(searchers, seconds, style, color=colour, label=label)
        left.set(xscale="log", yscale="log", xlabel="searchers, each with 2 copies", ylabel="seconds a lookup")
        left.set_xticks(SEARCHERS, [str(one) for one in SEARCHERS])
        left.xaxis.minorticks_off()
        left.set_title("More searchers: each has less to do,\nand the slowest of them decides", fontsize=10)
        left.legend(frameon=False, fontsize=8)
        left.grid(alpha=0.3)
        for copies, colour in ((1, "#c8503c"), (2, "#2456a6")):
            label = "1 copy" if copies == 1 else "2 copies, slow requests repeated"
            times, middle, slowest = in_windows(*lost[copies])
            right.plot(times, slowest, "-", color=colour, label=f"{label}: slowest of {WINDOW_SECONDS:.0f} s")
            right.plot(times, middle, ":", color=colour, label="median")
        right.axvspan(LOST_AT, LOST_AT + LOST_SECONDS, color="#eeeeee", zorder=0)
        right.set(yscale="log", xlabel="seconds", ylabel="seconds a lookup")
        right.set_title(f"One of {LOST_SEARCHERS} searchers is gone while it is grey", fontsize=10)
        right.legend(frameon=False, fontsize=8)
        right.grid(alpha=0.3)
        for side in (left, right):
            side.yaxis.set_major_formatter("{x:g}")
            side.yaxis.set_minor_formatter(ticker.NullFormatter())
        picture.savefig(path, metadata={"Date": None})
        plt.close(picture)


def section(rows: Sequence[dict[str, Any]], losses: Sequence[dict[str, Any]]) -> str:
    """Returns the section of RESULTS.md."""
    lines = [
        f"Simulated by `python -m benchmarks.fan_out`: {PHOTOS:,} photos, searchers of {CORES} cores that are "
        f"{BUSY:.0%} busy, service times as `benchmarks.scale` measured them, {NETWORK_SECONDS * 1e3:.0f} ms of "
        f"network; one request in {1 / STALLS:,.0f} stands still for {STALL_SECONDS * 1e3:.0f} ms and more (Pareto, "
        f"exponent {STALL_TAIL}). A searcher works at one lookup at a time, on all of its cores. Repeated: what takes "
        f"longer than {HEDGED_ABOVE:.0%} of requests do is asked of the other copy. Seconds of a lookup, searching "
        "alone.",
        "",
        "| searchers | copies | slow requests | lookups a second | p50 | p95 | p99 | requests a part |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['searchers']} | {row['copies']} | {'repeated' if row['is_hedged'] else 'waited for'} "
        f"| {row['rate']:,.1f} | {row['p50']:.2f} | {row['p95']:.2f} | {row['p99']:.2f} | {row['requests']:.3f} |"
        for row in rows
    ]
    lines += [
        "",
        f"One of {LOST_SEARCHERS} searchers is lost, noticed after {NOTICED_SECONDS:.0f} s and back after "
        f"{LOST_SECONDS:.0f} s. Seconds of a lookup meanwhile:",
        "",
        "| copies | p99 before | p50 meanwhile | p99 meanwhile | longest |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['copies']} | {one['before']:.2f} | {one['during_p50']:.2f} | {one['during_p99']:.2f} "
        f"| {one['longest']:.2f} |"
        for one in losses
    ]
    return "\n".join(lines)


def main() -> None:
    """Simulates, draws, and writes the figures."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    cases = [Case(searchers, copies, is_hedged) for searchers in SEARCHERS for copies, is_hedged in WAYS]
    rows = rows_of(cases)
    lost = {copies: lose_one(LOST_SEARCHERS, copies) for copies in (1, 2)}
    losses = [loss_of(copies, *found) for copies, found in lost.items()]
    RECORD.write_text(json.dumps({"lookups": rows, "losses": losses}, indent=1) + "\n", encoding="utf-8")
    draw(rows, lost, PICTURE)
    write_section("Fan-out", section(rows, losses))


if __name__ == "__main__":
    main()
