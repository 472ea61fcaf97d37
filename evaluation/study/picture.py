"""Writes the pictures of the study's page as small PNG files, with the words that go with them."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's palette, which colour-blind readers can tell apart; its yellow, too faint for lines, is a purple here.
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
OKABE_ITO = (BLUE, VERMILION, GREEN, "#CC79A7", "#56B4E9", "#E69F00", "#7a4b9d")
INK, GREY, PAPER = "#1b1c1e", "#8a8c90", "#ffffff"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
GRID: dict[str, Any] = {"color": "#dcdcd6", "linewidth": 0.6}
# A palette of so many makes a chart a third as large as all of its colours do, and looks the same.
CHART_COLOURS = 128
DOTS_PER_INCH = 110


@dataclass(frozen=True)
class Picture:
    """A PNG by its file name, `alt` for those who do not see it, `caption` for what to look at."""

    name: str
    png: bytes
    alt: str
    caption: str

    @property
    def markdown(self) -> str:
        """The picture and its caption as Markdown."""
        return f"![{self.alt}]({self.name})\n\n*{self.caption}*"


def chart_png(figure: Figure) -> bytes:
    """Returns a chart as PNG with a palette; the figure is drawn by Agg, whatever the user's backend is."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(DOTS_PER_INCH)
    canvas.draw()
    return image_png(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()), colours=CHART_COLOURS)


def image_png(image: Image.Image, *, colours: int | None) -> bytes:
    """Returns an image as PNG, with a palette of that many colours, or with all of its colours."""
    if colours is not None:
        image = image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def shortened(words: str, most: int) -> str:
    """Returns the words, or as many letters of them as have room."""
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
