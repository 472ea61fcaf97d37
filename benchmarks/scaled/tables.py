"""Writes the figures of `benchmarks.scale` as tables, those that are there."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.scaled.figures import Figure

# A step that met more other work than this, in cores, shared the machine, and its seconds say little.
QUIET_LOAD = 0.2


def told(name: str) -> tuple[str, dict[str, str]]:
    """Returns the step that figures are of, and what it was told, in words."""
    step, *pairs = name.split(" ")
    return step, dict(pair.split("=", 1) for pair in pairs)


def of_step(figures: Mapping[str, Figure], step: str) -> list[tuple[dict[str, str], Figure]]:
    """Returns what is known of one step, in the order in which it was measured."""
    found = [(*told(name), figure) for name, figure in figures.items()]
    return [(said, figure) for name, said, figure in found if name == step]


def growth(small: tuple[float, float], large: tuple[float, float]) -> str:
    """Returns how many times as much ten times the size takes, of two (size, cost); nothing for one size."""
    if large[0] <= small[0]:
        return ""
    return f"{(large[1] / small[1]) ** (1 / math.log10(large[0] / small[0])):.1f}"


def vector_tables(figures: Mapping[str, Figure]) -> list[str]:
    """Returns the lines about vectors: builds, searches, and how alike made and real ones lie."""
    builds = [
        [
            *(f"{int(said['rows']):,}", f"{one['seconds']:,.0f}", f"{one['processor_seconds']:,.0f}"),
            *(f"{one['peak_bytes'] / 1e6:,.0f}", f"{one['estimate_bytes'] / one['peak_bytes']:.2f}"),
            *(f"{one['disk_bytes'] / 1e6:,.0f}", f"{one['recall']:.3f}"),
            f"{one['leaves_to_search']} of {one['leaves']}, {one['reorder']}",
            _load(one),
        ]
        for said, one in of_step(figures, "build")
        if said["first"] == "0"
    ]
    searched = of_step(figures, "search")
    sizes = [(int(said["rows"]), one["processor_ms_in_batches"]) for said, one in searched]
    searches = [
        [
            *(f"{int(said['rows']):,}", str(-(-int(said["rows"]) // int(said["segment_rows"])))),
            growth(max((two for two in sizes if two[0] < int(said["rows"])), default=sizes[0]), size),
            *(f"{one['processor_ms_in_batches']:.2f}", f"{one['ms_in_batches']:.2f}"),
            *(f"{1e3 / one['ms_in_batches']:,.0f}", f"{one['processor_ms_one_by_one']:.2f}"),
            *(f"{one['recall']:.3f}", f"{one['planted_first']:.3f}", f"{one['planted_in_10']:.3f}"),
            *(f"{one['peak_bytes'] / 1e6:,.0f}", f"{one['own_bytes'] / 1e6:,.0f}", _load(one)),
        ]
        for size, (said, one) in zip(sizes, searched, strict=True)
    ]
    leaves = [
        [
            *(f"{int(said['rows']):,}", f"{said['leaves']} of {one['leaves']:,}", f"{one['processor_ms']:.3f}"),
            *(f"{one['recall']:.3f}", f"{one['planted_first']:.3f}", f"{one['planted_in_10']:.3f}"),
        ]
        for said, one in of_step(figures, "leaves")
    ]
    return [
        *table("vectors in one segment|s|processor s|peak MB|estimate|MB on disk|recall@10|searched|load", builds),
        "",
        *table(
            "vectors|segments|times the ms for 10 times as many|processor ms a query in batches|ms|queries/s|"
            "processor ms one by one|recall@10|planted first|planted in 10|peak MB|of its own|load",
            searches,
        ),
        "",
        *table(
            "vectors in one tree|leaves searched|processor ms a query|recall@10|planted first|planted in 10", leaves
        ),
    ]


def feature_tables(figures: Mapping[str, Figure]) -> list[str]:
    """Returns the lines about local features: trees, and votes in them."""
    builds = [
        [
            *(f"{_features(figures, said):,}", f"{one['trees']} × {one['leaves']:,}", f"{one['seconds']:,.0f}"),
            *(f"{one['processor_seconds']:,.0f}", f"{one['peak_bytes'] / 1e6:,.0f}"),
            *(f"{one['tree_bytes'] / 1e6:,.0f}", f"{one['disk_bytes'] / 1e6:,.0f}", f"{one['recall']:.3f}"),
            _load(one),
        ]
        for said, one in of_step(figures, "trees")
    ]
    voted = of_step(figures, "vote")
    before: dict[str, tuple[float, float]] = {}
    votes = []
    for said, one in voted:
        searched, size = said.get("searched", "planned"), (_features(figures, said), one["processor_ms"])
        votes.append(
            [
                *(f"{size[0]:,}", searched, growth(before.get(searched, size), size), f"{one['processor_ms']:,.0f}"),
                *(f"{one['ms']:,.0f}", f"{one['planted_first']:.3f}", f"{one['planted_in_12']:.3f}"),
                *(str(one["queries"]), f"{one['own_bytes'] / 1e6:,.0f}", _load(one)),
            ]
        )
        before[searched] = size
    return [
        *table("local features|trees × leaves|s|processor s|peak MB|trees, MB|MB on disk|recall|load", builds),
        "",
        *table(
            "local features|leaves searched|times the ms for 10 times as many|"
            "processor ms a query|ms|planted first|planted in 12|queries|MB of its own|load",
            votes,
        ),
    ]


def photo_table(figures: Mapping[str, Figure]) -> list[str]:
    """Returns the lines about encoding."""
    before: dict[tuple[str, str], Figure] = {}
    rows = []
    for said, one in of_step(figures, "encode"):
        kind = said["side"], said["features"]
        growth = f"{one['seconds'] / before[kind]['seconds']:.1f}" if kind in before else ""
        before[kind] = one
        rows.append(
            [
                *(f"{int(said['photos']):,}", said["side"], said["features"], f"{one['seconds']:,.0f}"),
                *(f"{int(said['photos']) / one['seconds']:,.0f}", growth, f"{one['peak_bytes'] / 1e6:,.0f}"),
                *(f"{one['disk_bytes'] / int(said['photos']):,.0f}", str(one["attempts"]), _load(one)),
            ]
        )
    header = "photos|longest side|features|s|photos/s|times the seconds|peak MB|bytes a photo|attempts|load"
    return table(header, rows)


def structure_table(figures: Mapping[str, Figure]) -> list[str]:
    """Returns how near neighbours are, and in how many directions they lie, of real and made ones."""
    rows = []
    for step, what in (("structure_of_real", "vectors"), ("structure", "vectors"), ("feature_structure", "features")):
        for said, one in of_step(figures, step):
            count = one["rows"] if "rows" in one else int(said["rows"])
            is_real = step == "structure_of_real" or said.get("features") == "0"
            cells = [f"{count:,} {'real' if is_real else 'made'} {what}"]
            for asked in ("made", "held_out"):
                found = one[asked]
                cells += [
                    f"{found['half']:.3f} ({found['quarter']:.3f}–{found['three_quarters']:.3f})",
                    f"{found['dimension']:.1f}",
                ]
            if cells not in rows:
                rows.append(cells)
    return table("of|nearest of its own|dimension|nearest of other real ones|dimension", rows)


def _features(figures: Mapping[str, Figure], said: Mapping[str, str]) -> int:
    return figures[f"features features={said['features']}"]["features"]


def _load(one: Mapping[str, Any]) -> str:
    return "" if one["load"] < QUIET_LOAD else f"{one['load']:.1f}"


def table(header: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns the lines of a Markdown table."""
    names = re.split(r"\|", header)
    lines = [names, ["---"] * len(names), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
