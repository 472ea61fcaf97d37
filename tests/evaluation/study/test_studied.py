"""Results as the page reads them: in its order, with words for people, and examples where there are some."""

import pytest

from evaluation.study.plan import COLOUR, SYSTEMS
from evaluation.study.studied import TITLES, Studied, listed_number, read_studied, short_title
from tests.evaluation.study.made_results import (
    every_result,
    made_baseline,
    made_examples,
    made_plan,
    made_result,
    write_results,
)


def read(directory) -> list[Studied]:
    """Returns the studied data sets; nothing may be left out."""
    return read_studied(directory, made_plan(), tell=pytest.fail)


def test_photographs_are_read_first(tmp_path):
    """Whatever the names of the folders."""
    results = [made_baseline("pca", dataset=name) for name in ("mnist", COLOUR, "fashion_mnist")]
    write_results(tmp_path, results)
    studies = read(tmp_path)
    assert [each.name for each in studies] == list(TITLES) == [COLOUR, "mnist", "fashion_mnist"]
    assert [each.heading for each in studies] == ["Photographs", "MNIST", "Fashion-MNIST"]
    assert [each.spoken for each in studies] == ["photographs", "MNIST", "Fashion-MNIST"]
    assert [each.shows_test_photos for each in studies] == [False, True, True]


def test_every_result_is_in_one_of_three_places(tmp_path):
    """Encoders, baselines, and points of a curve."""
    write_results(tmp_path, every_result("mnist"))
    [studied] = read(tmp_path)
    points = [result for result in studied.results if "@" in result.entry]
    assert len(studied.encoders) + len(studied.baselines) + len(points) == len(studied.results)
    assert len(studied.results) == len(every_result("mnist"))
    assert studied.main == [*studied.encoders, *studied.baselines]


def test_a_curve_has_one_result_for_each_dimension():
    """The entry of the tables counts where a point of the curve has the same dimension."""
    table, same, small = made_result("dense"), made_result("dense@64"), made_result("dense@16", dimension=16)
    studied = Studied("mnist", [table, small, same], {})
    assert studied.curve("dense") == [small, table]
    assert studied.curve("recurrent") == []


def test_examples_are_those_of_the_entries_that_kept_some(tmp_path):
    """Baselines are not asked for what only trained entries are shown by."""
    write_results(tmp_path, [made_result("dense"), made_baseline("pca")], examples=made_examples())
    write_results(tmp_path, [made_result("recurrent")])
    [studied] = read(tmp_path)
    assert studied.examples.keys() == {"dense", "pca"}
    assert [result.entry for result in studied.having("photos")] == ["dense"]
    assert studied.having("film") == []


def test_a_class_has_its_name_or_its_number():
    """As the examples tell; without any, or beyond them, the number."""
    named = Studied("mnist", [made_result("dense")], {"dense": made_examples()})
    assert [named.class_name(label) for label in (0, 9, 10)] == ["class 0", "class 9", "10"]
    assert Studied("mnist", [], {}).class_name(3) == "3"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("convolution_dense_upsampling", "4 conv + dense + up-sampling"),
        ("convolution_transpose", "3 conv + transpose"),
        ("variational_convolutional", "6 variational, convolutional"),
        ("binary_crossentropy", "12 convolutional 32–16–8, binary cross-entropy"),
    ],
)
def test_titles_are_shortened_word_by_word(entry, words):
    """`convolutional` is no `convolution`."""
    assert short_title(made_result(entry)) == words


@pytest.mark.parametrize(("number", "written"), [(0, ""), (1, "1"), (SYSTEMS, "13"), (SYSTEMS + 1, "")])
def test_only_systems_of_the_literature_have_a_number(number, written):
    """A baseline and an encoder of our own have none, and no space stands in its place."""
    result = made_result("dense", number=number, title="words")
    assert listed_number(result) == written
    assert short_title(result) == f"{written} words".strip()
