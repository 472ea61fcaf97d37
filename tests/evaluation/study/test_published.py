"""Published numbers: each a fact about one network and data set, beside which ours stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.study.plan import COLOUR, SYSTEMS, every_dataset
from evaluation.study.published import PUBLISHED, for_dataset, reach, reached
from evaluation.study.studied import TITLES, Studied
from tests.evaluation.study.made_results import made_baseline, made_result

DENSE = next(each for each in PUBLISHED if each.number == 1 and each.dataset == "mnist")


def test_each_published_number_is_of_a_network_that_is_studied():
    """Its data set has an entry with its number; of our own encoders nobody published anything."""
    numbers = {dataset.name: {entry.number for entry in dataset.entries} for dataset in every_dataset()}
    for each in PUBLISHED:
        assert each.number in numbers[each.dataset], each
        assert each.number <= SYSTEMS
        assert 0 < each.error < 0.1
        assert each.dataset in TITLES
    assert len(set(PUBLISHED)) == len(PUBLISHED)


@pytest.mark.parametrize(("name", "count"), [("mnist", 5), ("fashion_mnist", 5), (COLOUR, 1), ("cifar", 0)])
def test_lines_are_drawn_for_what_names_its_data_set(name, count):
    """Earlier reports name none, so they stand in the table alone."""
    found = for_dataset(name)
    assert len(found) == count
    assert all(each.dataset == name and "earlier" not in each.source for each in found)


@given(st.lists(st.tuples(st.sampled_from([8, 16, 64, 128]), st.floats(1e-4, 1e-2)), min_size=1, max_size=6))
def test_the_smallest_code_that_meets_a_number_is_named(points):
    """Whatever was studied: it meets the number, no smaller one does, and the best is nowhere undercut."""
    results = [
        made_result(f"dense@{number}", dimension=dimension, error=error)
        for number, (dimension, error) in enumerate(points)
    ]
    found = reach(Studied("mnist", results, {}), DENSE)
    assert found is not None
    assert found.best.errors.test == min(error for _, error in points)
    meeting = [dimension for dimension, error in points if error <= DENSE.error]
    assert (found.smallest is None) == (not meeting)
    if found.smallest:
        assert found.smallest.dimension == min(meeting)
        assert found.smallest.errors.test <= DENSE.error


def test_pca_of_the_same_length_stands_beside_the_best():
    """Of another length it says nothing."""
    best, pca, other = made_result("dense"), made_baseline("pca"), made_baseline("pca@16", dimension=16)
    assert reach(Studied("mnist", [best, pca, other], {}), DENSE).pca is pca
    assert reach(Studied("mnist", [best, other], {}), DENSE).pca is None


def test_published_numbers_come_in_the_order_of_the_page():
    """Photographs first, then as the literature lists them; the default recipe has none."""
    studies = [
        Studied(COLOUR, [made_result("colour", dataset=COLOUR), made_result("convolutional", number=14)], {}),
        Studied("mnist", [made_result("dense"), made_result("convolution_upsampling")], {}),
    ]
    found = [(each.published.dataset, each.published.number) for each in reached(studies)]
    assert found == [(COLOUR, 11), ("mnist", 1), ("mnist", 1), ("mnist", 2), ("mnist", 2)]
