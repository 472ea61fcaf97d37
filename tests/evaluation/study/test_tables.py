"""Tables: one cell for each heading, numbers where they belong, and the best of a column in bold."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from evaluation.page import markdown_table
from evaluation.study import tables
from evaluation.study.plan import COLOUR, DEFAULT_ENTRY
from evaluation.study.published import reached
from evaluation.study.result import DISTURBANCES, Result
from evaluation.study.studied import DENOISING, PLAIN, VARIATIONAL, Studied
from tests.evaluation.study.made_results import every_result, made_baseline, made_result

MNIST = Studied("mnist", every_result("mnist"), {})
FASHION = Studied("fashion_mnist", [made_result("dense"), made_baseline("pca")], {})
DEFAULT = made_result(
    DEFAULT_ENTRY.name, dataset=COLOUR, dimension=512, number=DEFAULT_ENTRY.number, title=DEFAULT_ENTRY.title
)
PHOTOGRAPHS = Studied(COLOUR, [made_result("colour", dataset=COLOUR), DEFAULT, made_baseline("pca")], {})


def cells(table: str) -> list[list[str]]:
    """Returns the words of a table by row, the headings first, the ruler left out."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert len({len(row) for row in rows}) == 1
    return [rows[0], *rows[2:]]


def column(table: str, heading: str) -> dict[str, str]:
    """Returns a column's cells by the title in the second column."""
    headings, *rows = cells(table)
    return {row[1]: row[headings.index(heading)] for row in rows}


def bold(column: dict[str, str]) -> set[str]:
    """Returns the titles whose cells are bold."""
    return {title for title, cell in column.items() if cell.startswith("**")}


@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 6))
def test_a_table_has_a_cell_for_every_heading(columns: int, rows: int, words: int) -> None:
    """Any size is one table of Markdown; words are aligned left, numbers right."""
    table = markdown_table(["h"] * columns, [["c"] * columns] * rows, words=words)
    tokens = [
        token for token in MarkdownIt("commonmark").enable("table").parse(table) if token.type in ("th_open", "td_open")
    ]
    assert [token.type for token in tokens] == ["th_open"] * columns + ["td_open"] * columns * rows
    aligned = [token.attrs.get("style") for token in tokens]
    assert aligned == [None if place % columns < words else "text-align:right" for place in range(len(tokens))]


@pytest.mark.parametrize(
    "table", [tables.reconstruction_table, tables.retrieval_table, tables.robustness_table, tables.kinds_table]
)
def test_each_row_is_one_entry_of_the_tables(table) -> None:
    """No point of a curve has a row, and no entry has two."""
    titles = [row[1] for row in cells(table(MNIST))[1:]]
    assert len(set(titles)) == len(titles)
    assert set(titles) <= {result.title for result in MNIST.main}


def test_the_overview_has_a_row_for_every_entry_and_columns_for_every_data_set() -> None:
    """Photographs first, in columns and in rows; a dash where an entry was not studied."""
    headings, *rows = cells(tables.overview_table([PHOTOGRAPHS, MNIST, FASHION]))
    assert headings[2:6] == ["photos: found again", "photos: precision at 10", "photos: MSE", "photos/s"]
    assert headings[6:] == [
        f"{title}: {measure}"
        for title in ("MNIST", "Fashion-MNIST")
        for measure in ("found again", "precision at 10", "MSE")
    ]
    titles = [row[1] for row in rows]
    assert titles[:3] == ["colour, 8 × 8 × 8 bottleneck", DEFAULT_ENTRY.title, "pca"]
    assert len(titles) == len(set(titles)) == len({r.entry for s in (PHOTOGRAPHS, MNIST, FASHION) for r in s.main})
    assert rows[0][6:] == ["–"] * 6
    assert rows[titles.index("recurrent (LSTM)")][2:5] == ["–"] * 3


def test_the_overview_says_what_the_sections_say() -> None:
    """The same values, bold where they are the best of their data set."""
    overview = tables.overview_table([MNIST])
    for theirs, ours, table in (
        ("precision@10", "MNIST: precision at 10", tables.retrieval_table),
        ("mean", "MNIST: found again", tables.robustness_table),
        ("MSE test", "MNIST: MSE", tables.reconstruction_table),
    ):
        found = column(overview, ours)
        for title, cell in column(table(MNIST), theirs).items():
            assert found[title] == cell, (title, ours)


def test_the_rate_of_the_overview_is_the_first_that_was_measured() -> None:
    """On photographs where there is one, else on the next data set."""
    slow, unknown = (replace(made_result("dense", dataset=COLOUR), encode_per_second=rate) for rate in (120.0, None))
    fast = Studied("mnist", [made_result("dense", encode_per_second=4560.0)], {})
    for result, rate in ((slow, "120"), (unknown, "4,560")):
        assert column(tables.overview_table([Studied(COLOUR, [result], {}), fast]), "photos/s") == {result.title: rate}
    assert column(tables.overview_table([Studied(COLOUR, [unknown], {})]), "photos/s") == {unknown.title: "–"}


def test_the_default_recipe_has_no_number_of_the_literature() -> None:
    """Its cell is empty, as that of a baseline is; the others have theirs."""
    rows = {row[1]: row[0] for row in cells(tables.retrieval_table(PHOTOGRAPHS))[1:]}
    assert rows == {"colour, 8 × 8 × 8 bottleneck": "11", DEFAULT_ENTRY.title: "", "pca": ""}


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_bold_is_what_nothing_in_the_column_exceeds(precisions: list[float]) -> None:
    """Equal as written is equally bold."""
    entries = [f"made-{number}" for number in range(len(precisions))]
    results = [made_result(e, title=e, precision=p) for e, p in zip(entries, precisions, strict=True)]
    found = column(tables.retrieval_table(Studied("mnist", results, {})), "precision@10")
    best = f"{max(precisions):.3f}"
    assert bold(found) == {e for e, p in zip(entries, precisions, strict=True) if f"{p:.3f}" == best}


def test_a_baseline_can_be_the_fastest() -> None:
    """Rates of encoders and baselines are measured alike, so they stand in one column."""
    pca = replace(made_baseline("pca"), encode_per_second=1e6)
    rates = column(tables.reconstruction_table(Studied("mnist", [made_result("dense"), pca], {})), "encodes photos/s")
    assert bold(rates) == {"pca"}


def test_the_three_kinds_need_something_to_be_compared_with() -> None:
    """One of them is no comparison; without shares there is nothing to compare."""
    plain, variational, denoising = (made_result(entry) for entry in (PLAIN, VARIATIONAL, DENOISING))
    assert tables.kinds_table(Studied("mnist", [plain], {})) is None
    assert tables.kinds_table(Studied("mnist", [plain, replace(variational, robustness={})], {})) is None
    table = tables.kinds_table(Studied("mnist", [denoising, plain, variational], {}))
    assert table is not None
    assert [row[0] for row in cells(table)[1:]] == ["autoencoder", "variational", "denoising"]


def test_shares_stand_under_their_disturbance() -> None:
    """And their mean behind them."""
    shares = dict(zip(DISTURBANCES, (0.1, 0.2, 0.3, 0.4, 0.5), strict=True))
    [headings, row, _] = cells(
        tables.robustness_table(Studied("mnist", [made_result("dense", robustness=shares), FASHION.results[1]], {}))
    )
    assert [cell.strip("*") for cell in row[headings.index(DISTURBANCES[0]) :]] == [
        "0.100",
        "0.200",
        "0.300",
        "0.400",
        "0.500",
        "0.300",
    ]


def published_rows(*results: Result) -> dict[tuple[str, str], list[str]]:
    """Returns the published numbers' rows by network and number."""
    table = tables.published_table(reached([Studied("mnist", list(results), {})]))
    return {(row[0], row[3]): row for row in cells(table)[1:]}


def test_a_published_number_stands_beside_ours() -> None:
    """Bold where it is met, with the dimension and the epochs of ours; otherwise what PCA leaves there."""
    met = published_rows(made_result("dense", error=0.001))
    assert met["fully connected", "0.0013"][4:] == ["**0.00100**", "**64**", "4"]
    missed = published_rows(made_result("dense", error=0.002), made_baseline("pca"))
    assert missed["fully connected", "0.0013"][4:] == ["not reached: best 0.00200; PCA there 0.00391", "64", "4"]
