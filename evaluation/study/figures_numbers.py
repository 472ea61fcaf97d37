"""Draws the charts of the study's page: losses by epoch, robustness, the code space in two dimensions."""

import math
import textwrap
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter

from evaluation.study.picture import (
    BLUE,
    GREEN,
    GREY,
    GRID,
    INK,
    PAPER,
    STYLE,
    VERMILION,
    Picture,
    chart_png,
    shortened,
)
from evaluation.study.result import DISTURBANCES, Kind, Result
from evaluation.study.studied import PLAIN, VARIATIONAL, Studied, short_title

OF_KIND: dict[Kind, str] = {"autoencoder": BLUE, "variational": VERMILION, "denoising": GREEN, "baseline": GREY}
LABEL_WIDTH = 26


def losses(studied: Studied) -> Picture | None:
    """One small plot for each encoder: training and validation loss by epoch."""
    shown = [result for result in studied.encoders if len(result.history) > 1]
    if not shown:
        return None
    columns = min(4, len(shown))
    rows = math.ceil(len(shown) / columns)
    with matplotlib.rc_context({**STYLE, "font.size": 8}):
        figure = Figure(figsize=(2.5 * columns, 1.9 * rows + 0.4), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, result in zip(panels, shown, strict=False):
            _draw_losses(axes, result)
        for axes in panels[len(shown) :]:
            axes.remove()
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
        png = chart_png(figure)
    return Picture(
        f"losses-{studied.name}.png",
        png,
        f"Training and validation loss by epoch, encoders on {studied.title}: {len(shown)}",
        "Training and validation loss by epoch, logarithmic, each encoder with its own loss and scale. The learning "
        "rate falls to nothing in the last epoch, so every curve ends flat. Training losses contain what validation "
        "losses do not: dropout, damage, sampling and divergence. Look for a validation loss that rises.",
    )


def robustness(studied: Studied) -> Picture | None:
    """Bars: how often the clean photo is found first, one panel for each disturbance."""
    shown = [result for result in studied.main if result.robustness]
    if not shown:
        return None
    names = [name for name in DISTURBANCES if any(name in result.robustness for result in shown)]
    places = np.arange(len(shown))[::-1]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 0.3 * len(shown) + 1.2), layout="constrained")
        panels = figure.subplots(1, len(names), sharey=True, squeeze=False).ravel()
        for axes, name in zip(panels, names, strict=True):
            _draw_bars(axes, name, places, shown)
        panels[0].set_yticks(places, [shortened(short_title(result), 46) for result in shown])
        kinds = dict.fromkeys(result.kind for result in shown)
        handles = [Patch(color=OF_KIND[kind], label=kind) for kind in kinds]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(kinds), frameon=False)
        png = chart_png(figure)
    return Picture(
        f"robustness-{studied.name}.png",
        png,
        f"Bars of how often a disturbed {studied.title} photo finds its clean photo first, for {len(shown)} entries",
        "How often a disturbed test photo finds its own clean photo first among all test photos. Look from panel to "
        "panel: what withstands noise need not withstand a shift.",
    )


def code_space(studied: Studied) -> Picture | None:
    """Training and test photos in two dimensions, by an autoencoder above and by a variational one below."""
    shown = _plane_entries(studied)
    if not shown:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 4.3 * len(shown)), layout="constrained")
        grid = figure.subplots(len(shown), 2, squeeze=False)
        for row, result in zip(grid, shown, strict=True):
            for axes, split in zip(row, ("training", "test"), strict=True):
                _draw_plane(axes, studied, result, split)
        png = chart_png(figure)
    return Picture(
        f"code-space-{studied.name}.png",
        png,
        f"Codes of {studied.title} training and test photos as points in the plane, coloured by class",
        "The codes in two dimensions (t-SNE of both splits together), a point for each photo, coloured by class, whose "
        "name stands at the median of its points: training photos left, test photos right. Look whether the test "
        "photos of a class lie together, and which classes run into each other. Distances between far groups mean "
        "nothing.",
    )


def _draw_losses(axes: Axes, result: Result) -> None:
    training, validation = zip(*result.history, strict=True)
    epochs = np.arange(1, len(training) + 1)
    axes.plot(epochs, training, color=BLUE, linewidth=1.3, label="training")
    axes.plot(epochs, validation, color=VERMILION, linewidth=1.3, linestyle="--", label="validation")
    if min(*training, *validation) > 0:  # a logarithm of other losses does not exist
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:.3g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_title(textwrap.fill(short_title(result), LABEL_WIDTH), fontsize=8)
    axes.grid(**GRID)


def _draw_bars(axes: Axes, name: str, places: np.ndarray, shown: Sequence[Result]) -> None:
    values = [result.robustness.get(name, 0.0) for result in shown]
    axes.barh(places, values, color=[OF_KIND[result.kind] for result in shown], height=0.72)
    for place, value, result in zip(places, values, shown, strict=True):
        words = f"{value:.2f}" if name in result.robustness else "–"
        inside = value > 0.75  # beside a longer bar the number would stand in the next panel
        edge = value + (-0.03 if inside else 0.03)
        colour, side = (PAPER, "right") if inside else (INK, "left")
        axes.text(edge, place, words, va="center", ha=side, fontsize=7, color=colour)
    axes.set_title(name, fontsize=9)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", **GRID)
    axes.set_axisbelow(True)


def _plane_entries(studied: Studied) -> list[Result]:
    """Returns an autoencoder and a variational one whose codes were laid into the plane: the usual two if they were."""
    kept = [r for r in studied.encoders if {"plane_training", "plane_test"} & studied.examples.get(r.entry, {}).keys()]
    # A stable sort: the usual two come first, the others stay in the page's order.
    kept.sort(key=lambda result: result.entry not in (PLAIN, VARIATIONAL))
    by_kind = {kind: [r for r in kept if r.kind == kind][:1] for kind in ("autoencoder", "variational")}
    return [result for results in by_kind.values() for result in results]


def _draw_plane(axes: Axes, studied: Studied, result: Result, split: str) -> None:
    examples = studied.examples[result.entry]
    points, labels = examples.get(f"plane_{split}"), examples.get(f"plane_{split}_labels")
    axes.set_title(f"{shortened(short_title(result), 40)}: {split}")
    axes.set(xticks=[], yticks=[])
    if points is None or labels is None:
        return
    axes.spines[:].set(visible=True, color=GRID["color"])
    colours = matplotlib.colormaps["tab10"]
    for label in np.unique(labels):
        own = points[labels == label]
        axes.scatter(own[:, 0], own[:, 1], s=4, color=colours(int(label) % 10), linewidths=0)
    height = np.ptp(points[:, 1])
    medians = {int(label): np.median(points[labels == label], axis=0) for label in np.unique(labels)}
    for label, (x, y) in _moved_apart(medians, np.ptp(points[:, 0]) * 0.15, height * 0.045).items():
        box = {"boxstyle": "round,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.75}
        axes.text(x, y, studied.class_name(label), ha="center", va="center", fontsize=9, weight="bold", bbox=box)


def _moved_apart(places: dict[int, np.ndarray], width: float, height: float) -> dict[int, tuple[float, float]]:
    """Returns places for labels of that size, each moved up until it lies on no other."""
    moved: dict[int, tuple[float, float]] = {}
    for label, (x, y) in sorted(places.items(), key=lambda item: item[1][1]):
        while any(abs(x - left) < width and abs(y - bottom) < height for left, bottom in moved.values()):
            y += height / 4
        moved[label] = (float(x), float(y))
    return moved
