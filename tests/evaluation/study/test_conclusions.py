"""Conclusions say what the numbers say: yes, no, mixed or no difference, and nothing about what was not studied."""

from dataclasses import replace

import pytest

from evaluation.study import measures as m
from evaluation.study.conclusions import conclude, duel, verdict, versus
from evaluation.study.published import PUBLISHED, reach
from evaluation.study.result import DISTURBANCES, Result
from evaluation.study.studied import Studied
from tests.evaluation.study.made_results import made_baseline, made_result

WITH, WITHOUT = "convolution_dense_upsampling", "convolution_upsampling"


def studied(*results: Result, name: str = "mnist") -> Studied:
    """Returns a data set with those results."""
    return Studied(name, list(results), {})


def finding(question: str, *results: Result) -> str:
    """Returns everything that is concluded for the question whose words these are part of."""
    return " ".join(f for c in conclude([studied(*results)]) if question in c.question for f in c.findings)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([1, 1], "yes"),
        ([1, 0], "yes"),
        ([-1, 0], "no"),
        ([1, -1], "mixed"),
        ([0, 0], "no difference"),
        ([], "no difference"),
    ],
)
def test_a_verdict_is_mixed_as_soon_as_one_number_speaks_against(outcomes: list[int], expected: str) -> None:
    """Equal numbers decide nothing."""
    assert verdict(outcomes) == expected


@pytest.mark.parametrize(("gain", "outcome"), [(0.0049, 0), (0.0051, 1), (-0.0051, -1)])
def test_small_differences_of_precision_are_none(gain: float, outcome: int) -> None:
    """Up to 0.005 counts as equal, since one seed was run."""
    one, other = made_result(WITH, precision=0.9 + gain), made_result(WITHOUT, precision=0.9)
    assert m.PRECISION_AT_10.compare(one, other) == outcome


@pytest.mark.parametrize(("error", "outcome"), [(0.0104, 0), (0.0106, -1), (0.0094, 1)])
def test_errors_are_compared_by_their_ratio_and_lower_is_better(error: float, outcome: int) -> None:
    """Up to 5 % of the smaller error counts as equal."""
    assert m.TEST_ERROR.compare(made_result(WITH, error=error), made_result(WITHOUT, error=0.01)) == outcome


@pytest.mark.parametrize(
    ("error", "precision", "expected"),
    [(0.005, 0.95, "**Yes.**"), (0.02, 0.8, "**No.**"), (0.005, 0.8, "**Mixed.**"), (0.01, 0.9, "**No difference.**")],
)
def test_fully_connected_layers_are_judged_by_error_and_precision(
    error: float, precision: float, expected: str
) -> None:
    """Entry 4 against 2 at the same dimension."""
    results = made_result(WITH, error=error, precision=precision), made_result(WITHOUT, error=0.01, precision=0.9)
    assert expected in finding("fully connected", *results)


def test_networks_are_compared_at_equal_dimensions_first() -> None:
    """Only dimensions that both have make pairs; without any, the tables' entries do, and that is said."""
    small, other = made_result(f"{WITH}@16", dimension=16), made_result(f"{WITHOUT}@16", dimension=16)
    table = made_result(WITH), made_result(WITHOUT, dimension=128)
    matched = duel(studied(small, other, *table), WITH, WITHOUT)
    assert matched is not None
    assert matched.pairs == [(small, other)]
    unmatched = duel(studied(*table), WITH, WITHOUT)
    assert unmatched is not None
    assert unmatched.pairs == [table]
    assert "at 64 and 128 dimensions, so not like for like" in finding("fully connected", *table)


def test_a_variational_encoder_is_judged_by_what_it_finds() -> None:
    """A worse reconstruction does not count against it."""
    plain = made_result("convolution_dense_transpose", error=0.001, precision=0.9)
    better = made_result("variational_convolutional", error=0.1, precision=0.95)
    assert "**Yes.**" in finding("variational", plain, better)
    assert "**No.**" in finding("variational", plain, made_result("variational_convolutional", precision=0.85))


def test_the_cost_of_recurrence_is_a_ratio() -> None:
    """Training time and encode rate against the convolutional network."""
    plain = made_result("convolution_dense_transpose", training_seconds=100.0, encode_per_second=1000.0)
    said = finding("recurrence", plain, made_result("recurrent", training_seconds=320.0, encode_per_second=250.0))
    assert "3.2 times as long (5 min 20 s against 1 min 40 s)" in said
    assert "0.25 times the rate (250 against 1,000 photos/s)" in said


def test_attention_is_held_against_recurrence_without_it() -> None:
    """What attention brings is more than what being recurrent brings."""
    said = finding("recurrence", made_result("recurrent"), made_result("attention"))
    assert "*recurrent with attention* against *recurrent (LSTM)*" in said


def test_networks_of_other_sizes_are_said_to_be() -> None:
    """A difference of parameters could be what made the difference."""
    large = made_result(WITH, parameters=221_297)
    assert "with 221,297 and 30,645 parameters" in finding(
        "fully connected", large, made_result(WITHOUT, parameters=30_645)
    )


def test_denoising_is_judged_by_every_disturbance() -> None:
    """What it was trained on is judged apart from what is new to it, of which one that got worse makes it mixed."""
    plain = made_result("convolution_dense_transpose", robustness=dict.fromkeys(DISTURBANCES, 0.5))
    robust = dict.fromkeys(DISTURBANCES, 0.7)
    said = finding("denoising", plain, made_result("denoising", robustness=robust))
    assert "Denoising: **yes** for noise, blur and occlusion" in said
    assert "**yes** for the others" in said
    worse = {**robust, "shift": 0.3}
    assert "**mixed** for the others" in finding("denoising", plain, made_result("denoising", robustness=worse))


def test_baselines_are_sorted_by_whether_the_best_encoder_beats_them() -> None:
    """More precise, equal and less precise ones are named apart."""
    best = made_result("dense", precision=0.9)
    below, equal, above = (
        made_baseline(entry, precision=precision)
        for entry, precision in (("raw_pixels", 0.8), ("perceptual_hash", 0.902), ("local_features", 0.95))
    )
    said = finding("needs no neural network", best, below, equal, above)
    assert "is more precise than raw pixels (0.800); it equals perceptual hash (0.902)" in said
    assert "it is less precise than local features (0.950)" in said


def test_the_choice_names_the_best_for_each_purpose() -> None:
    """The fast one must be nearly as precise as the best."""
    precise = made_result("dense", precision=0.95, error=0.02, encode_per_second=10.0)
    near = made_result("recurrent", precision=0.94, error=0.03, encode_per_second=50.0)
    fast = made_result("attention", precision=0.5, error=0.01, encode_per_second=900.0)
    said = finding("Which encoder", precise, near, fast)
    assert f"alike: *{precise.title}*" in said
    assert f"reconstruct: *{fast.title}*" in said
    assert f"of the best precision@10: *{near.title}*" in said


def test_the_default_recipe_is_judged_beside_the_literature() -> None:
    """By what is found, found again and reconstructed; trainings of other lengths are said to be."""
    default = made_result("convolutional", error=0.01, precision=0.02, history=[[0.1, 0.1]] * 20)
    literature = made_result("colour", error=0.02, precision=0.01, history=[[0.1, 0.1]] * 40)
    said = finding("default recipe", default, literature)
    assert "**Yes.**" in said
    assert "both at 64 dimensions, after 20 and 40 epochs: precision@10 0.020 against 0.010 (better)" in said
    assert finding("default recipe", default) == ""


def test_nothing_is_concluded_of_what_was_not_studied() -> None:
    """A baseline alone answers no question, and no training no ratio of costs."""
    assert conclude([studied(made_baseline("raw_pixels"))]) == []
    assert finding("recurrence", made_result("recurrent")) == ""


def test_both_values_are_written_beside_the_verdict() -> None:
    """A reader can check the word against the numbers."""
    one, other = made_result(WITH, error=0.01), made_result(WITHOUT, error=0.02)
    assert versus(m.TEST_ERROR, one, other) == "test MSE 0.01000 against 0.02000 (better)"


def test_a_published_number_is_reached_by_the_smallest_code_that_meets_it() -> None:
    """On test data, at exactly the number too; variants and other dimensions of the same kind of network count."""
    number = next(each for each in PUBLISHED if each.number == 1 and each.dataset == "mnist")
    assert number.error == 0.0013
    large = made_result("dense@256", dimension=256, error=0.0005)
    exact, missed = made_result("dense@64", error=0.0013), made_result("dense@16", dimension=16, error=0.00131)
    found = reach(studied(large, exact, missed), number)
    assert found is not None
    assert (found.smallest, found.best) == (exact, large)
    never = reach(studied(missed), number)
    assert never is not None
    assert (never.smallest, never.best) == (None, missed)


def test_a_published_number_stands_beside_its_own_kind_of_network_only() -> None:
    """Another data set, another network, or one without errors is no answer to it."""
    number = PUBLISHED[0]
    assert reach(studied(made_result("dense"), name="fashion_mnist"), number) is None
    assert reach(studied(made_result("recurrent")), number) is None
    assert reach(studied(replace(made_result("dense"), errors=None)), number) is None
