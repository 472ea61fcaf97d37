"""Writes docs/scale.md: its words, docs/scale.template.md, with numbers computed from the recorded figures.

python -m docs.scale
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from benchmarks import sizing
from benchmarks.fan_out import RECORD as FAN_OUT
from benchmarks.sizing import FEW_LEAVES, LARGE_TREES, MILLION, Measured, Size, figure, read_measured, size

PAGE = Path(__file__).with_name("scale.md")
TEMPLATE = Path(__file__).with_name("scale.template.md")
SIZES = (10 * MILLION, 100 * MILLION, 1_000 * MILLION)


@dataclass(frozen=True)
class Way:
    """One way to build and search trees: what was measured, and what archives take by it."""

    measured: Measured
    sizes: list[Size]


def ways(prices: Mapping[str, Any]) -> dict[str, Way]:
    """Returns the archives as they are with the trees that are built today, and with large ones."""
    found = {"now": read_measured(), "large": read_measured(most=LARGE_TREES, searched=FEW_LEAVES)}
    return {name: Way(one, [size(photos, one, prices) for photos in SIZES]) for name, one in found.items()}


def number(value: float) -> str:
    """Returns a number as a person says it: two digits that count, and thousands apart."""
    if value >= 100:
        digits = 10 ** (len(str(int(value))) - 2)
        return f"{round(value / digits) * digits:,.0f}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def gigabytes(value: float) -> str:
    """Returns bytes as GB or TB."""
    return f"{number(value / 1e12)} TB" if value >= 1e12 else f"{number(value / 1e9)} GB"


def duration(seconds: float) -> str:
    """Returns seconds in the unit that a person takes."""
    for unit, length in (("hours", 3_600), ("minutes", 60), ("s", 1)):
        if seconds >= 2 * length:
            return f"{number(seconds / length)} {unit}"
    return f"{number(1e3 * seconds)} ms"


def render() -> str:
    """Returns the page."""
    prices = json.loads(sizing.PRICES.read_text(encoding="utf-8"))
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 (Markdown)
    environment.filters |= {"number": number, "gigabytes": gigabytes, "duration": duration}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    found = ways(prices)
    return template.render(
        now=found["now"],
        large=found["large"],
        figure=figure,
        prices=prices,
        strains=[sizing.strain(photos) for photos in SIZES[1:]],
        fan_out=json.loads(FAN_OUT.read_text(encoding="utf-8")),
        sizing=sizing,
    )


def main() -> None:
    """Writes the page."""
    PAGE.write_text(render() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
