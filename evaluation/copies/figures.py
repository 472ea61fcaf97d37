"""Draws the charts of the page: recall by kind of edit, and how far scores are probabilities."""

import matplotlib
from matplotlib.figure import Figure

from evaluation.copies.edits import CHAINED, EVERYDAY, HARD
from evaluation.copies.result import ArchiveResult, CopiesResult
from evaluation.study.picture import BLUE, GREEN, GREY, GRID, INK, STYLE, VERMILION, Picture, chart_png

BAR_HEIGHT = 0.165
MOST_KINDS = 40
COLOURS = {EVERYDAY: BLUE, HARD: VERMILION, CHAINED: GREEN}


def recall_by_kind(archive: ArchiveResult) -> Picture:
    """A bar for each of the worst kinds of edits, the worst at the top."""
    worst_first = sorted(archive.kinds, key=lambda one: (one.detection.recall_at_1, one.kind))
    kinds = worst_first[:MOST_KINDS][::-1]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.5, 1.2 + BAR_HEIGHT * len(kinds)), layout="constrained")
        axes = figure.subplots()
        recalls = [one.detection.recall_at_1 for one in kinds]
        colours = [COLOURS.get(one.part, GREY) for one in kinds]
        axes.bar_label(
            axes.barh(range(len(kinds)), recalls, color=colours, height=0.72), fmt="%.2f", fontsize=7, padding=3
        )
        axes.set_yticks(range(len(kinds)), [one.kind.replace("_", " ") for one in kinds], fontsize=7)
        axes.set_ylim(-0.7, len(kinds) - 0.3)
        axes.set_xlim(0, 1.06)
        axes.set_xlabel("recall@1")
        axes.grid(axis="x", **GRID)
        axes.set_axisbelow(True)
        handles = [matplotlib.patches.Patch(color=colour, label=part) for part, colour in COLOURS.items()]
        figure.legend(handles=handles, loc="outside upper right", ncols=3, frameon=False)
        png = chart_png(figure)
    return Picture(
        "recall-by-kind.png",
        png,
        f"Recall@1 of the {len(kinds)} worst kinds of edits, the worst at the top",
        f"Share of the edited photos whose original is answered first, in an archive of {archive.photos:,}: the "
        f"{len(kinds)} worst of {len(archive.kinds)} kinds.",
    )


def reliability(result: CopiesResult) -> Picture:
    """The share of right answers over the score, and how many answers each point stands for."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6, 5.4), layout="constrained")
        axes, counts = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        axes.plot((0, 1), (0, 1), color=GREY, linestyle=":", linewidth=1.2)
        for archive, colour in zip(result.archives, (BLUE, VERMILION), strict=False):
            scores = [one.mean_score for one in archive.reliability]
            label = f"{archive.photos:,} photos: error {archive.calibration_error or 0:.3f}"
            axes.plot(scores, [one.share_right for one in archive.reliability], "o-", color=colour, label=label)
            counts.plot(scores, [one.predictions for one in archive.reliability], "o-", color=colour)
        axes.set_ylabel("share that is right")
        axes.set_ylim(-0.03, 1.03)
        axes.legend(frameon=False, loc="upper left")
        counts.set_yscale("log")
        counts.set_ylabel("answers", color=INK)
        counts.set_xlabel("score")
        counts.set_xlim(-0.02, 1.02)
        for each in (axes, counts):
            each.grid(**GRID)
        png = chart_png(figure)
    return Picture(
        "reliability.png",
        png,
        "Share of right first answers over their score, beside the diagonal",
        "Share of first answers that are right over their score, in bins of a tenth; on the diagonal a score is a "
        "probability. Below: how many answers each point stands for.",
    )
