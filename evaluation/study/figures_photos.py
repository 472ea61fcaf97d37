"""Lays out the contact sheets of the page: what encoders keep of photos, what they find, and where they fail."""

import textwrap
from collections.abc import Sequence

import numpy as np

from evaluation.study import measures as m
from evaluation.study.picture import Picture, shortened
from evaluation.study.plan import COLOUR_ENTRY, DEFAULT_ENTRY
from evaluation.study.result import DISTURBANCES, Result
from evaluation.study.sheet import Heading, Row, Tile, draw_sheet
from evaluation.study.studied import DENOISING, PLAIN, VARIATIONAL, Studied, short_title

SHOWN_QUERIES = 10
SHOWN_DECODED = 5
SHOWN_FAILURES = 8
GROUPS = 3
# What is held beside the best encoder where neither the plain network nor the variational one was trained.
OF_PHOTOGRAPHS = (DEFAULT_ENTRY.name, COLOUR_ENTRY.name)
LABEL_WIDTH = 30
# So many bold letters stand above four tiles without running into the next group.
GROUP_LETTERS = 32


def photo_pictures(studied: Studied) -> list[Picture]:
    """Returns the sheets of a data set for which there are examples, in the page's order."""
    drawn = (reconstructions(studied), neighbours(studied), decoded(studied))
    return [picture for picture in drawn if picture]


def failure_pictures(studied: Studied) -> list[Picture]:
    """Returns the sheets of what went wrong, in the page's order."""
    drawn = (failures(studied), worst(studied), disturbed(studied))
    return [picture for picture in drawn if picture]


def reconstructions(studied: Studied) -> Picture | None:
    """All autoencoders in one picture: a row for each, a column for each photo, the photos themselves above."""
    shown = _having(studied, "photos", "reconstructions")
    if not shown:
        return None
    photos = studied.examples[shown[0].entry]["photos"]
    rows = [Row(["photo"], _tiles(photos))]
    rows += [Row(_label(r, m.TEST_ERROR), _tiles(studied.examples[r.entry]["reconstructions"])) for r in shown]
    blurred = "thin strokes, holes" if studied.shows_test_photos else "fine texture"
    return Picture(
        f"reconstructions-{studied.name}.png",
        draw_sheet(rows),
        f"{len(photos)} {studied.title} photos and what {len(shown)} autoencoders make of them",
        f"{_kind_of_photos(studied)} (top row), and what each decoder makes of their vectors, with code dimension and "
        f"test MSE. Look at {blurred} and edges: they blur first.",
    )


def neighbours(studied: Studied) -> Picture | None:
    """Queries with their nearest neighbours by the most precise encoder and others to hold beside it."""
    shown = _contrast(studied)
    if not shown:
        return None
    first = studied.examples[shown[0].entry]
    labels = first["photo_labels"]
    rows: list[Row | Heading] = [
        _group_heading("query", [short_title(r) for r in shown]),
        _group_heading("", [f"precision@10 {_precision(r)}" for r in shown]),
    ]
    for query in _one_of_each_class(labels, SHOWN_QUERIES):
        tiles: list[Tile | None] = [Tile(first["photos"][query])]
        for result in shown:
            found = studied.examples[result.entry]
            tiles += [None, *_answers(found["neighbours"][query], found["neighbour_labels"][query], labels[query])]
        rows.append(Row([studied.class_name(int(labels[query]))], tiles))
    same = "of the same class as the query" if studied.shows_test_photos else "a cut of the same photograph"
    marks = f"Green with a tick: {same}. Orange with a cross: not. "
    return Picture(
        f"neighbours-{studied.name}.png",
        draw_sheet(rows),
        f"{studied.title} queries with their four nearest neighbours by {len(shown)} ways of search",
        f"Queries (left) and the four nearest of the others by {_listed(shown)}, with the precision@10 of the whole "
        f"test split. {_kind_of_photos(studied)}. {marks}Look at which queries all of them get wrong.",
    )


def decoded(studied: Studied) -> Picture | None:
    """Candidates decoded from their vectors: the photo above, what the decoder knows of it below."""
    best = m.PRECISION_AT_10.best(studied.having("decoded_neighbours"))
    entries = [best, *(studied.find(entry) for entry in (VARIATIONAL, PLAIN, *OF_PHOTOGRAPHS))]
    shown = [r for r in _distinct(entries) if "decoded_neighbours" in studied.examples.get(r.entry, {})][:2]
    if not shown:
        return None
    first = studied.examples[shown[0].entry]
    lines: list[Row | Heading] = [_group_heading("query", [short_title(r) for r in shown])]
    for query in _one_of_each_class(first["photo_labels"], SHOWN_DECODED):
        above: list[Tile | None] = [Tile(first["photos"][query])]
        below: list[Tile | None] = [None]
        for result in shown:
            examples = studied.examples[result.entry]
            above += [None, *_tiles(examples["neighbours"][query])]
            below += [None, *_tiles(examples["decoded_neighbours"][query])]
        lines += [Row(["found"], above), Row(["decoded"], below)]
    return Picture(
        f"decoded-{studied.name}.png",
        draw_sheet(lines),
        f"Nearest neighbours of {studied.title} queries, each above its own vector decoded",
        f"Candidates of a lookup (upper rows) and their vectors decoded (lower rows), by {_listed(shown)}. Look at "
        "what is lost from one row to the next: the search never saw it. "
        f"{_kind_of_photos(studied)}.",
    )


def failures(studied: Studied) -> Picture | None:
    """Queries none of whose four neighbours is of their class, by the most precise encoder that has such."""
    best = m.PRECISION_AT_10.best(studied.having("failures"))
    examples = studied.examples[best.entry] if best else {}
    if best is None or not len(examples["failures"]):
        return None
    rows = []
    for index, label in enumerate(examples["failure_labels"][:SHOWN_FAILURES]):
        found = examples["failure_neighbour_labels"][index]
        answers = _answers(examples["failure_neighbours"][index], found, label)
        names = ", ".join(dict.fromkeys(studied.class_name(int(each)) for each in found))
        words = [studied.class_name(int(label)), *textwrap.wrap(f"found: {names}", LABEL_WIDTH)]
        rows.append(Row(words, [Tile(examples["failures"][index]), None, *answers]))
    return Picture(
        f"failures-{studied.name}.png",
        draw_sheet(rows),
        f"{len(rows)} {studied.title} queries whose four nearest neighbours are all of another class",
        f"Even by {_emphasised(best)} ({_precision(best)} precision@10) these queries find nothing of their class. "
        f"{_kind_of_photos(studied)}. Look whether what was found has the outline of the query and another name.",
    )


def worst(studied: Studied) -> Picture | None:
    """The photos with the highest reconstruction error, above what became of them."""
    best = m.TEST_ERROR.best(studied.having("worst"))
    entries = [best, *(studied.find(entry) for entry in (PLAIN, VARIATIONAL, *OF_PHOTOGRAPHS))]
    shown = [r for r in _distinct(entries) if "worst" in studied.examples.get(r.entry, {})][:GROUPS]
    if not shown:
        return None
    lines: list[Row | Heading] = []
    for result in shown:
        examples = studied.examples[result.entry]
        lines += [
            Heading(f"{short_title(result)}: test MSE {m.TEST_ERROR.written(result)}"),
            Row(["photo"], _tiles(examples["worst"])),
            Row(["reconstruction"], _tiles(examples["worst_reconstructions"])),
        ]
    return Picture(
        f"worst-{studied.name}.png",
        draw_sheet(lines),
        f"The {studied.title} photos that are reconstructed worst, above their reconstructions",
        f"{_kind_of_photos(studied)}: those that {_listed(shown)} reconstruct worst. Look for what they share: fine "
        "texture, rare shapes, strong contrast.",
    )


def disturbed(studied: Studied) -> Picture | None:
    """Disturbed photos with what is found first, by the plain, the variational and the denoising network."""
    entries = [studied.find(entry) for entry in (PLAIN, VARIATIONAL, DENOISING)]
    shown = [r for r in _distinct(entries) if "disturbed" in studied.examples.get(r.entry, {})]
    if not shown:
        return None
    lines: list[Row | Heading] = []
    for result in shown:
        examples = studied.examples[result.entry]
        lines.append(Heading(f"{short_title(result)}: {m.MEAN_ROBUSTNESS.written(result)} found again"))
        for number, name in enumerate(DISTURBANCES):
            parts = (examples[key][number] for key in ("disturbed", "disturbed_found", "disturbed_right"))
            tiles: list[Tile | None] = []
            for query, found, right in zip(*parts, strict=True):
                tiles += [Tile(query), Tile(found, bool(right)), None]
            share = result.robustness.get(name)
            lines.append(Row([name, *([f"{share:.3f}"] if share is not None else [])], tiles))
    return Picture(
        f"disturbed-{studied.name}.png",
        draw_sheet(lines),
        f"Disturbed {studied.title} photos, each beside the photo that is found first",
        "Disturbed queries, each with the photo found first to its right; failures were chosen, where there are any. "
        "Green with a tick: its own clean photo. Orange with a cross: another one. The number is the share of all "
        "queries that find their clean photo first.",
    )


def _having(studied: Studied, *names: str) -> list[Result]:
    """Returns the entries of the tables, baselines too, that kept all of those arrays."""
    return [r for r in studied.main if all(name in studied.examples.get(r.entry, {}) for name in names)]


def _contrast(studied: Studied) -> list[Result]:
    """Returns the most precise encoder, the variational one or raw pixels, and the least precise encoder."""
    known = _having(studied, "photos", "photo_labels", "neighbours", "neighbour_labels")
    ordered = sorted((r for r in known if r.kind != "baseline"), key=lambda r: -r.retrieval.precision_at_10)
    between = [r for entry in ("raw_pixels", VARIATIONAL) for r in known if r.entry == entry]
    return _distinct([*ordered[:1], *between, *ordered[-1:], *ordered[1:]])[:GROUPS]


def _distinct(results: Sequence[Result | None]) -> list[Result]:
    return list({result.entry: result for result in results if result}.values())


def _one_of_each_class(labels: np.ndarray, at_most: int) -> list[int]:
    """Returns the first photo of each class, in the order of classes."""
    _, firsts = np.unique(labels, return_index=True)
    return [int(first) for first in firsts[:at_most]]


def _tiles(photos: np.ndarray) -> list[Tile | None]:
    return [Tile(photo) for photo in photos]


def _answers(photos: np.ndarray, labels: np.ndarray, wanted: int) -> list[Tile | None]:
    """Tiles marked by class."""
    return [Tile(photo, bool(found == wanted)) for photo, found in zip(photos, labels, strict=True)]


def _group_heading(query: str, words: Sequence[str]) -> Heading:
    """Words above the query and above the groups of four tiles behind it, each after a gap."""
    return Heading(
        "", {0: query, **{2 + 5 * index: shortened(each, GROUP_LETTERS) for index, each in enumerate(words)}}
    )


def _label(result: Result, measure: m.Measure) -> list[str]:
    facts = f"{result.dimension} dimensions, MSE {measure.written(result)}"
    return [*textwrap.wrap(short_title(result), LABEL_WIDTH)[:2], facts]


def _kind_of_photos(studied: Studied) -> str:
    if studied.shows_test_photos:
        return "Test photos"
    return "Cuts of photographs that scikit-image ships, since those of the data set may not be shown"


def _precision(result: Result) -> str:
    return m.PRECISION_AT_10.written(result)


def _emphasised(result: Result) -> str:
    return f"“{result.title}”"


def _listed(results: Sequence[Result]) -> str:
    names = [_emphasised(result) for result in results]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
