"""Writes the tables of the study's page as Markdown."""

from collections.abc import Sequence

from evaluation.page import markdown_table
from evaluation.study import measures as m
from evaluation.study.measures import Measure
from evaluation.study.plan import COLOUR
from evaluation.study.published import Reached
from evaluation.study.result import Result
from evaluation.study.studied import DENOISING, PLAIN, TITLES, VARIATIONAL, Studied, listed_number

# What a reader wants to know first of an encoder, on each data set.
FIRST = {m.MEAN_ROBUSTNESS: "found again", m.PRECISION_AT_10: "precision at 10", m.TEST_ERROR: "MSE"}
COST = (m.TRAINING_TIME, m.ENCODE_RATE)
ERRORS = (m.TRAINING_ERROR, m.VALIDATION_ERROR, m.TEST_ERROR)
RETRIEVAL = (m.PRECISION_AT_4, m.PRECISION_AT_10, m.MEAN_AVERAGE_PRECISION, m.PIXEL_RECALL, m.EUCLIDEAN, m.COSINE)
# Raw pixels take no part in the recall of pixels: their own nearest photos are what it is measured against.
TRUTH_OF_PIXEL_RECALL = "raw_pixels"


def overview_table(studies: Sequence[Studied]) -> str:
    """One row for each encoder and baseline, all data sets side by side; first those that the first data set has."""
    entries = dict.fromkeys(result.entry for studied in studies for result in studied.main)
    headings = [f"{_brief(studied)}: {words}" for studied in studies for words in FIRST.values()]
    rows = [_overview_row([studied.find(entry) for studied in studies], studies) for entry in entries]
    return markdown_table(["", "what it is", *_with_rate(headings, "photos/s")], rows, words=2)


def _overview_row(found: Sequence[Result | None], studies: Sequence[Studied]) -> list[str]:
    values = [
        _value(result, measure, studied.main) if result else "–"
        for studied, result in zip(studies, found, strict=True)
        for measure in FIRST
    ]
    known = [result for result in found if result]
    # One rate is enough: photos of the data sets are small, and about equally so.
    timed = next((result for result in known if result.encode_per_second), known[0])
    return [*_name(known[0]), *_with_rate(values, m.ENCODE_RATE.written(timed))]


def _with_rate(cells: list[str], rate: str) -> list[str]:
    """Returns the cells with the rate behind those of the first data set, where it is seen without scrolling."""
    return [*cells[: len(FIRST)], rate, *cells[len(FIRST) :]]


def _brief(studied: Studied) -> str:
    return "photos" if studied.name == COLOUR else studied.title


def reconstruction_table(studied: Studied) -> str:
    """Errors on the three splits and what they cost, of every entry that reconstructs."""
    results = [result for result in studied.main if result.errors]
    headings = ["", "encoder", "dimension", "parameters", "epochs", *(measure.heading for measure in (*ERRORS, *COST))]
    rows = [
        [
            *_name(r),
            _count(r.dimension),
            _count(r.parameters),
            _count(len(r.history) or None),
            *_values(r, ERRORS, results),
            *_values(r, COST, results),
        ]
        for r in results
    ]
    return markdown_table(headings, rows, words=2)


def retrieval_table(studied: Studied) -> str:
    """Precision, mean average precision and recall of every entry."""
    headings = ["", "encoder", "dimension", "distance", *(measure.heading for measure in RETRIEVAL)]
    rows = [
        [*_name(r), _count(r.dimension), r.distance, *_values(r, RETRIEVAL, studied.main)]
        for r in studied.main
    ]  # fmt: skip
    return markdown_table(headings, rows, words=2)


def robustness_table(studied: Studied) -> str:
    """The share of disturbed photos whose clean photo is found first, by disturbance."""
    columns = (*m.ROBUSTNESS, m.MEAN_ROBUSTNESS)
    results = [result for result in studied.main if result.robustness]
    rows = [[*_name(r), r.kind, *_values(r, columns, results)] for r in results]
    return markdown_table(["", "encoder", "kind", *(measure.heading for measure in columns)], rows, words=3)


def kinds_table(studied: Studied) -> str | None:
    """The plain, the variational and the denoising network alone; None unless there are two of them to compare."""
    columns = (*m.ROBUSTNESS, m.MEAN_ROBUSTNESS)
    found = [result for entry in (PLAIN, VARIATIONAL, DENOISING) if (result := studied.find(entry))]
    results = [result for result in found if result.robustness]
    if len(results) < 2:
        return None
    rows = [[r.kind, r.title, f"{r.dimension:,}", *_values(r, columns, results)] for r in results]
    headings = ["kind", "encoder", "dimension", *(measure.heading for measure in columns)]
    return markdown_table(headings, rows, words=2)


def published_table(reached: Sequence[Reached]) -> str:
    """The published numbers, and the smallest code of the same kind of network that meets each on test data."""
    headings = ["network", "data set", "reported by", "published MSE", "ours, test MSE", "at dimension", "epochs"]
    return markdown_table(headings, [_published_row(each) for each in reached], words=3)


def _published_row(reached: Reached) -> list[str]:
    published = reached.published
    # What the report says beside the number stands in its cell: a dimension, or a split other than the test photos.
    stated = f"{published.error:.4f}" + (f" at {published.dimension}" if published.dimension else "")
    stated += f" ({published.split})" if published.split != "not stated" else ""
    ours = reached.smallest or reached.best
    error, dimension = m.TEST_ERROR.written(ours), str(ours.dimension)
    if reached.smallest:
        error, dimension = f"**{error}**", f"**{dimension}**"
    else:
        pca = f"; PCA there {m.TEST_ERROR.written(reached.pca)}" if reached.pca else ""
        error = f"not reached: best {error}{pca}"
    facts = [error, dimension, _count(len(ours.history))]
    return [published.network, TITLES[published.dataset], published.source, stated, *facts]


def _name(result: Result) -> list[str]:
    return [listed_number(result), result.title]


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _values(result: Result, measures: Sequence[Measure], results: list[Result]) -> list[str]:
    return [_value(result, measure, results) for measure in measures]


def _value(result: Result, measure: Measure, results: list[Result]) -> str:
    """The value, bold if it is the best of those results that can be compared in its column."""
    text = measure.written(result)
    comparable = [other for other in results if _takes_part(other, measure)]
    best = measure.best(comparable)
    # Values that are written alike are bold alike: nobody could see why one of them should not be.
    is_best = best is not None and _takes_part(result, measure) and measure.written(best) == text
    return f"**{text}**" if is_best else text


def _takes_part(result: Result, measure: Measure) -> bool:
    return measure is not m.PIXEL_RECALL or result.entry != TRUTH_OF_PIXEL_RECALL
