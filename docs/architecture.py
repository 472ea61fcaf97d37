"""Draws docs/architecture.svg: the packages, their parts, and every import between them as it stands in the source.

python -m docs.architecture
"""

from collections import Counter
from html import escape
from pathlib import Path
from typing import NamedTuple

from tests.test_layering import MODULES, REPOSITORY, name_of, own_imports

PICTURE = Path(__file__).with_suffix(".svg")
INK, SOFT, PAPER, CARD, LINE = "#1b1c1e", "#62656b", "#ffffff", "#f6f6f3", "#2456a6"
CHIP_HEIGHT, CHIP_GAP, LETTER_WIDTH = 22, 6, 6.6


class Box(NamedTuple):
    """A package as it is drawn: its place, and what it is for."""

    left: int
    top: int
    width: int
    height: int
    purpose: str

    @property
    def right(self) -> int:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The lower edge."""
        return self.top + self.height


# From the top down: an arrow that went up would end in a box above its start, and be seen at once.
BOXES = {
    "firstseen": Box(150, 44, 820, 72, "what people type and import"),
    "evaluation": Box(150, 162, 820, 100, "measures"),
    "pipelines": Box(575, 308, 395, 100, "the Beam jobs"),
    "training": Box(150, 454, 395, 160, "makes encoders"),
    "serving": Box(575, 454, 395, 160, "answers"),
    "foundation": Box(150, 660, 820, 100, "what all stand on"),
}
# Arrows that go past other boxes run in lanes beside them: (which side, how far out).
LANES = {
    ("firstseen", "training"): ("left", 30),
    ("evaluation", "foundation"): ("left", 70),
    ("firstseen", "foundation"): ("left", 110),
    ("evaluation", "serving"): ("right", 30),
    ("firstseen", "pipelines"): ("right", 60),
    ("firstseen", "serving"): ("right", 90),
    ("pipelines", "foundation"): ("right", 120),
}


def count_imports() -> Counter[tuple[str, str]]:
    """Returns how many modules of one package import from another, by (importer, imported)."""
    pairs: Counter[tuple[str, str]] = Counter()
    for path in MODULES:
        package = name_of(path).split(".")[0]
        pairs.update({(package, module.split(".")[0]) for module in own_imports(path)} - {(package, package)})
    return pairs


def parts_of(package: str) -> list[str]:
    """Returns the folders and the modules of a package, folders first."""
    folder = REPOSITORY / package
    folders = sorted(path.name for path in folder.iterdir() if (path / "__init__.py").exists())
    return [f"{name}/" for name in folders] + sorted(path.stem for path in folder.glob("[!_]*.py"))


def draw() -> str:
    """Returns the picture as SVG."""
    arrows = [_arrow(start, end, count) for (start, end), count in sorted(count_imports().items())]
    boxes = [_box(name, box) for name, box in BOXES.items()]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1120 780" width="1120" height="780" '
            'font-family="DejaVu Sans, system-ui, sans-serif">',
            f'<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0 0 8 4 0 8z" fill="{LINE}"/></marker></defs>',
            f'<rect width="1120" height="780" fill="{PAPER}"/>',
            _text(150, 26, 13, SOFT, "An arrow points to what is imported; its number says how many modules do."),
            *boxes,
            *arrows,
            "</svg>\n",
        ]
    )


def _box(name: str, box: Box) -> str:
    drawn = [
        f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="8" fill="{CARD}" '
        f'stroke="#c9c9c2"/>',
        f'<text x="{box.left + 14}" y="{box.top + 24}" font-size="15" font-weight="bold" fill="{INK}">{name}</text>',
        _text(box.left + 20 + 10 * len(name), box.top + 24, 13, SOFT, box.purpose),
    ]
    left, top = box.left + 14, box.top + 36
    for part in parts_of(name):
        width = LETTER_WIDTH * len(part) + 14
        if left + width > box.right - 10:
            left, top = box.left + 14, top + CHIP_HEIGHT + CHIP_GAP
        drawn.append(
            f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{CHIP_HEIGHT}" rx="5" fill="{PAPER}" '
            'stroke="#dcdcd6"/>' + _text(left + 7, top + 15, 11, INK, part)
        )
        left += width + CHIP_GAP
    if top + CHIP_HEIGHT > box.bottom:
        raise ValueError(f"the parts of {name} do not fit into its box; expected a higher one in BOXES")
    return "\n".join(drawn)


def _text(left: float, baseline: int, size: int, colour: str, words: str) -> str:
    return f'<text x="{left:.0f}" y="{baseline}" font-size="{size}" fill="{colour}">{escape(words)}</text>'


def _arrow(start: str, end: str, count: int) -> str:
    """Returns the arrow from a package to one that it imports, with the number of modules that do."""
    upper, lower = BOXES[start], BOXES[end]
    if (start, end) in LANES:
        side, out = LANES[start, end]
        lane = upper.left - out if side == "left" else upper.right + out
        edges = (upper.left, lower.left) if side == "left" else (upper.right, lower.right)
        # Each lane leaves and enters at a height of its own, so that no two lines share a way.
        leave, enter = upper.top + 6 + out // 2, lower.top + 4 + out // 2
        path = f"M{edges[0]} {leave} H{lane} V{enter} H{edges[1]}"
        label = lane, (leave + enter) // 2
    else:
        column = (max(upper.left, lower.left) + min(upper.right, lower.right)) // 2
        path, label = f"M{column} {upper.bottom} V{lower.top}", (column, (upper.bottom + lower.top) // 2)
    return (
        f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.6" marker-end="url(#head)"/>'
        f'<rect x="{label[0] - 12}" y="{label[1] - 9}" width="24" height="17" fill="{PAPER}"/>'
        f'<text x="{label[0]}" y="{label[1] + 4}" font-size="12" text-anchor="middle" fill="{LINE}">{count}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
