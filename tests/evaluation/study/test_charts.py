"""Charts of the study: what is drawn is what was measured, with looks that tell networks apart and labels apart."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from evaluation.study import figures_curves as curves
from evaluation.study import figures_numbers as numbers
from evaluation.study import measures as m
from evaluation.study.picture import OKABE_ITO, PAPER
from evaluation.study.plan import COLOUR, every_dataset
from evaluation.study.published import for_dataset
from evaluation.study.result import DISTURBANCES
from evaluation.study.studied import PLAIN, VARIATIONAL, Studied, short_title
from tests.evaluation.study.made_results import every_result, made_baseline, made_examples, made_result

MNIST = Studied("mnist", every_result("mnist"), {})


def drawn_curves(studied: Studied):
    """Returns the axes with the curves of test errors."""
    return curves._plot_curves(curves._curves(studied, m.TEST_ERROR), m.TEST_ERROR)[1]


def test_each_network_has_a_look_of_its_own():
    """Colour and marker together, for all systems, the default recipe and PCA."""
    entries = {entry.name: entry for dataset in every_dataset() for entry in dataset.entries}
    looks = [curves._look(made_result(entry.name, number=entry.number)) for entry in entries.values()]
    looks.append(curves._look(made_baseline("pca")))
    assert len({(look["color"], look["marker"]) for look in looks}) == len(entries) + 1


def test_curves_hold_the_measured_values():
    """A point for each dimension, in their order, at the error that was measured."""
    lines = {line.get_label(): line.get_xydata().tolist() for line in drawn_curves(MNIST).get_lines()}
    expected = [[r.dimension, r.errors.test] for r in MNIST.curve("dense")]
    assert lines[short_title(MNIST.find("dense"))] == expected
    assert len(expected) == 3


def test_one_point_is_no_curve():
    """An entry of one dimension alone, or without errors at two, has no line."""
    found = curves._curves(MNIST, m.TEST_ERROR)
    assert set(found) == {"dense", "convolution_upsampling", "convolution_dense_upsampling", "pca"}
    assert curves.error_curve(Studied("mnist", [made_result("dense")], {})) is None


def test_published_lines_are_those_of_networks_with_a_curve():
    """At the published error, in the colour of the network; the number of another network is not drawn."""
    axes = Figure().subplots()
    axes.set_ylim(0, 0.01)
    curves._draw_published(axes, "mnist", {1, 4})
    expected = {each.error: OKABE_ITO[each.number - 1] for each in for_dataset("mnist") if each.number in (1, 4)}
    assert {line.get_ydata()[0]: line.get_color() for line in axes.get_lines()} == expected
    assert {text.get_text() for text in axes.texts} == {"(1) published 0.0013", "(4) published 0.0028"}


def test_the_default_recipe_has_a_curve_without_a_published_line():
    """Nobody published a number of it, so its curve stands without a dashed line of its colour."""
    results = [
        made_result(name, dataset=COLOUR, dimension=dimension, number=number)
        for name, number, dimension in (("convolutional", 14, 512), ("convolutional@256", 14, 256))
    ]
    studied = Studied(COLOUR, results, {})
    assert list(curves._curves(studied, m.TEST_ERROR)) == ["convolutional"]
    assert curves.error_curve(studied) is not None
    axes = Figure().subplots()
    curves._draw_published(axes, COLOUR, {14})
    assert not axes.get_lines()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8, unique=True))
def test_labels_beside_the_axes_do_not_overlap(heights):
    """However near their lines: each has its room, and they stay in the order of their lines."""
    axes = Figure().subplots()
    axes.set_ylim(0, 1)
    curves._label_right(axes, {f"{height!r}": height for height in heights})
    placed = [(float(text.get_text()), text.get_position()[1]) for text in axes.texts]
    assert [value for value, _ in placed] == sorted(heights)
    places = [height for _, height in placed]
    assert all(above - below >= curves.LABEL_HEIGHT - 1e-9 for below, above in itertools.pairwise(places))
    assert all(place >= value - 1e-9 for value, place in placed)


@given(st.sets(st.integers(1, 4096), min_size=1, max_size=12))
def test_ticks_of_dimensions_are_apart(dimensions):
    """The smallest is always written, and none too near to the one before."""
    ticks = curves._apart(sorted(dimensions))
    assert ticks[0] == min(dimensions)
    assert set(ticks) <= dimensions
    assert all(larger / smaller >= 1.3 for smaller, larger in itertools.pairwise(ticks))


def test_bars_are_as_long_as_the_shares():
    """In the order of the page from above, with the number written beside or within each."""
    shown = [made_result("dense"), made_baseline("pca")]
    axes = Figure().subplots()
    numbers._draw_bars(axes, DISTURBANCES[0], np.array([1, 0]), shown)
    assert [(bar.get_y() + bar.get_height() / 2, bar.get_width()) for bar in axes.patches] == [
        (pytest.approx(1), 0.9),
        (pytest.approx(0), 0.5),
    ]
    assert [(text.get_text(), text.get_color() == PAPER) for text in axes.texts] == [("0.90", True), ("0.50", False)]


def test_a_disturbance_that_was_not_measured_has_no_bar():
    """A dash stands in its place: nought would be a result."""
    axes = Figure().subplots()
    numbers._draw_bars(axes, "blur", np.array([0]), [made_result("dense", robustness={"noise": 0.5})])
    assert axes.texts[0].get_text() == "–"
    assert axes.patches[0].get_width() == 0


def test_losses_are_drawn_by_epoch():
    """Both of them, from the first epoch; logarithmic unless a loss is nought or below."""
    for history, scale in (([[0.4, 0.5], [0.2, 0.3]], "log"), ([[0.4, 0.5], [-0.2, 0.3]], "linear")):
        axes = Figure().subplots()
        numbers._draw_losses(axes, made_result("dense", history=history))
        training, validation = (line.get_xydata().tolist() for line in axes.get_lines())
        assert training == [[1, history[0][0]], [2, history[1][0]]]
        assert validation == [[1, history[0][1]], [2, history[1][1]]]
        assert axes.get_yscale() == scale


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=12))
def test_names_of_classes_do_not_overlap(places):
    """However near the medians: names move up, never sideways, until none lies on another."""
    medians = {label: np.array(place) for label, place in enumerate(places)}
    moved = numbers._moved_apart(medians, 2.0, 0.5)
    assert moved.keys() == medians.keys()
    for label, (x, y) in moved.items():
        assert x == medians[label][0]
        assert y >= medians[label][1] - 1e-9
    for (left, low), (right, high) in itertools.combinations(moved.values(), 2):
        assert abs(left - right) >= 2.0 or abs(low - high) >= 0.5


def test_the_code_space_shows_the_usual_two():
    """The plain and the variational network where they were laid out, else another of each kind."""
    examples = made_examples()
    every = Studied("mnist", every_result("mnist"), {r.entry: examples for r in every_result("mnist")})
    assert [result.entry for result in numbers._plane_entries(every)] == [PLAIN, VARIATIONAL]
    others = Studied("mnist", every.results, {"dense": examples})
    assert [result.entry for result in numbers._plane_entries(others)] == ["dense"]


def test_points_of_a_split_are_drawn_by_class():
    """Each class with its colour and its name; a split without points is an empty frame with its title."""
    examples = made_examples()
    studied = Studied("mnist", [made_result("dense")], {"dense": examples})
    axes = Figure().subplots()
    numbers._draw_plane(axes, studied, studied.results[0], "test")
    assert sum(len(points.get_offsets()) for points in axes.collections) == len(examples["plane_test"])
    assert {text.get_text() for text in axes.texts} == set(examples["class_names"])
    del examples["plane_training"]
    empty = Figure().subplots()
    numbers._draw_plane(empty, studied, studied.results[0], "training")
    assert (len(empty.collections), empty.get_title()) == (0, "1 dense: training")
