"""Draws the curves of the study's page: error and precision over the code dimension, with what was published."""

import math
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator, ScalarFormatter

from evaluation.study import measures as m
from evaluation.study import published
from evaluation.study.measures import Measure
from evaluation.study.picture import GREY, GRID, INK, OKABE_ITO, STYLE, Picture, chart_png, shortened
from evaluation.study.result import Result
from evaluation.study.studied import Studied, short_title

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# A label beside the axes needs this part of their height.
LABEL_HEIGHT = 0.045


def curve_pictures(studied: Studied) -> list[Picture]:
    """Returns error and precision over the code dimension; none where nothing was studied at two dimensions."""
    drawn = (error_curve(studied), precision_curve(studied))
    return [picture for picture in drawn if picture]


def error_curve(studied: Studied) -> Picture | None:
    """The test MSE over the code dimension, with the published numbers as dashed lines."""
    curves = _curves(studied, m.TEST_ERROR)
    if not curves:
        return None
    with matplotlib.rc_context(STYLE):
        figure, axes = _plot_curves(curves, m.TEST_ERROR)
        axes.set_yscale("log")
        # Errors span little more than a power of ten, of which the usual ticks would mark one.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        _draw_published(axes, studied.name, {results[0].number for results in curves.values()})
        png = chart_png(figure)
    return Picture(
        f"mse-over-dimension-{studied.name}.png",
        png,
        f"Test MSE of {len(curves)} kinds of networks on {studied.title} over the dimension of the code",
        f"Reconstruction error on {studied.title} test photos over the code dimension, both axes logarithmic; lower is "
        "better. Dashed: published numbers, in the colour of the same kind of network. Look where a curve crosses the "
        "line of its colour, and whether it lies below PCA.",
    )


def precision_curve(studied: Studied) -> Picture | None:
    """Precision@10 over the code dimension, with raw pixels as a line."""
    curves = _curves(studied, m.PRECISION_AT_10)
    if not curves:
        return None
    pixels = studied.find("raw_pixels")
    with matplotlib.rc_context(STYLE):
        figure, axes = _plot_curves(curves, m.PRECISION_AT_10)
        if pixels:
            axes.axhline(pixels.retrieval.precision_at_10, color=GREY, linestyle=":", linewidth=1.4)
            _label_right(axes, {f"raw pixels {m.PRECISION_AT_10.written(pixels)}": pixels.retrieval.precision_at_10})
        png = chart_png(figure)
    return Picture(
        f"precision-over-dimension-{studied.name}.png",
        png,
        f"Precision@10 of {len(curves)} kinds of networks on {studied.title} over the dimension of the code",
        f"Share of the ten nearest {studied.title} test photos that are of the query's class, over the code dimension; "
        "higher is better. Dotted: raw pixels. Look whether more dimensions help the search as they help the "
        "reconstruction.",
    )


def _curves(studied: Studied, measure: Measure) -> dict[str, list[Result]]:
    """Returns by entry its results at two dimensions and more."""
    entries = dict.fromkeys(result.entry.partition("@")[0] for result in studied.results)
    curves = {entry: [r for r in studied.curve(entry) if measure.of(r) is not None] for entry in entries}
    return {entry: results for entry, results in curves.items() if len(results) > 1}


def _plot_curves(curves: dict[str, list[Result]], measure: Measure) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9.5, 5.4), layout="constrained")
    axes = figure.subplots()
    for results in curves.values():
        dimensions = [result.dimension for result in results]
        values = [value for result in results if (value := measure.of(result)) is not None]
        axes.plot(
            dimensions,
            values,
            label=shortened(short_title(results[0]), 44),
            markersize=5,
            linewidth=1.5,
            **_look(results[0]),
        )
    ticks = sorted({result.dimension for results in curves.values() for result in results})
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(_apart(ticks)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("code dimension")
    axes.set_ylabel(measure.words)
    axes.grid(**GRID)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure, axes


def _look(result: Result) -> dict[str, Any]:
    if result.kind == "baseline":
        return {"color": INK, "marker": "*"}
    index = result.number - 1
    # There are twice as many systems as colours: each round through the colours shifts the markers by one.
    return {
        "color": OKABE_ITO[index % len(OKABE_ITO)],
        "marker": MARKERS[(index + index // len(OKABE_ITO)) % len(MARKERS)],
    }


def _apart(ticks: list[int]) -> list[int]:
    """Returns the dimensions that are far enough from the one before to be written below the axis."""
    kept: list[int] = []
    for tick in ticks:
        if not kept or tick / kept[-1] >= 1.3:
            kept.append(tick)
    return kept


def _draw_published(axes: Axes, dataset: str, numbers: set[int]) -> None:
    """Draws what was published of the kinds of networks that have a curve."""
    labels = {}
    for each in (each for each in published.for_dataset(dataset) if each.number in numbers):
        axes.axhline(each.error, color=OKABE_ITO[(each.number - 1) % len(OKABE_ITO)], linestyle="--", linewidth=1)
        labels[f"({each.number}) published {each.error:g}"] = each.error
    _label_right(axes, labels)


def _label_right(axes: Axes, labels: dict[str, float]) -> None:
    """Writes labels right of the axes at their heights, moved apart where they would overlap."""
    place = axes.transData + axes.transAxes.inverted()
    at = {words: place.transform((axes.get_xlim()[1], value))[1] for words, value in labels.items()}
    height = -math.inf
    # From below: a label is moved up only as far as the one below it needs.
    for words in sorted(at, key=lambda words: at[words]):
        height = max(at[words], height + LABEL_HEIGHT)
        axes.text(1.01, height, words, transform=axes.transAxes, va="center", fontsize=8)
