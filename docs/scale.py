"""Writes docs/scale.md: its words, docs/scale.template.md, with numbers computed from the recorded figures.

python -m docs.scale
"""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from benchmarks import sizing
from benchmarks.fan_out import RECORD as FAN_OUT
from benchmarks.sizing import MILLION, figure, read_measured, size

PAGE = Path(__file__).with_name("scale.md")
TEMPLATE = Path(__file__).with_name("scale.template.md")
SIZES = (10 * MILLION, 100 * MILLION, 1_000 * MILLION)


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


def lookup_of(features: int) -> dict[str, Any]:
    """Returns the processor ms of a lookup in photos that have so many local features, and how many these are."""
    measured, photos = read_measured(), figure("features", features=features)["photos"]
    vectors = measured.vector_seconds_per_million * photos / MILLION
    votes = figure("vote", features=features)["processor_ms"]
    return {"photos": f"{photos:,}", "ms": 1e3 * (measured.lookup_seconds + vectors) + votes}


def render() -> str:
    """Returns the page."""
    prices = json.loads(sizing.PRICES.read_text(encoding="utf-8"))
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 (Markdown)
    environment.filters |= {"number": number, "gigabytes": gigabytes, "duration": duration, "lookup_of": lookup_of}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    measured = read_measured()
    return template.render(
        measured=measured,
        sizes=[size(photos, measured, prices) for photos in SIZES],
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
