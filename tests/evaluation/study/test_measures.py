"""Measures: how values are compared, written and ranked, whatever they are."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluation.study import measures as m
from evaluation.study.measures import Measure
from evaluation.study.result import DISTURBANCES, Errors, Result
from tests.evaluation.study.made_results import made_baseline, made_result

SHARES = st.floats(0, 1)
ERRORS = st.floats(1e-6, 1)


def with_value(measure: Measure, value: float) -> Result:
    """Returns a result that has that value of the measure."""
    if measure is m.TEST_ERROR:
        return replace(made_result("dense"), errors=Errors(training=value, validation=value, test=value))
    return made_result("dense", precision=value)


@given(SHARES, SHARES)
def test_the_other_way_round_is_the_opposite(first: float, second: float) -> None:
    """Better becomes worse, equal stays equal; for errors and for shares."""
    for measure in (m.PRECISION_AT_10, m.TEST_ERROR):
        one, other = with_value(measure, first), with_value(measure, second)
        outcome = measure.compare(one, other)
        assert outcome is not None
        assert measure.compare(other, one) == -outcome


@given(ERRORS, st.floats(1.06, 100))
def test_an_error_is_judged_by_its_ratio_at_every_size(error: float, factor: float) -> None:
    """A twentieth more is as much, whether of a large error or of a small one."""
    small, large = (with_value(m.TEST_ERROR, value) for value in (error, error * factor))
    assert m.TEST_ERROR.compare(small, large) == 1
    assert m.TEST_ERROR.compare(small, with_value(m.TEST_ERROR, error * 1.04)) == 0


@given(st.lists(SHARES, min_size=1, max_size=8))
def test_nothing_is_better_than_the_best(values: list[float]) -> None:
    """Of precisions the largest, of errors the smallest; of equal ones the first."""
    for measure, extreme in ((m.PRECISION_AT_10, max), (m.TEST_ERROR, min)):
        results = [with_value(measure, value) for value in values]
        best = measure.best(results)
        assert best is results[values.index(extreme(values))]


def test_what_is_unknown_is_neither_compared_nor_best() -> None:
    """A search that reconstructs nothing has no error: a dash, no outcome, and never the best."""
    pixels, encoder = made_baseline("raw_pixels"), made_result("dense")
    assert m.TEST_ERROR.written(pixels) == "–"
    assert m.TEST_ERROR.compare(pixels, encoder) is None
    assert m.TEST_ERROR.compare(encoder, pixels) is None
    assert m.TEST_ERROR.best([pixels, encoder]) is encoder
    assert m.TEST_ERROR.best([pixels]) is None
    assert m.TEST_ERROR.best([]) is None


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_durations_are_written_as_people_say_them(seconds: float, written: str) -> None:
    """Rounded first: no 60 seconds, no 60 minutes."""
    assert m.duration(seconds) == written


@given(st.floats(0, 1e6))
def test_a_duration_says_no_sixty(seconds: float) -> None:
    """Seconds beside minutes and minutes beside hours are below 60."""
    words = m.duration(seconds).split()
    assert all(int(number) < 60 for number in words[2::2])
    assert words[1::2] in (["s"], ["min", "s"], ["h", "min"])


@pytest.mark.parametrize(
    ("per_second", "written"),
    [(0.1234, "0.123"), (12.34, "12.3"), (123.4, "123"), (12_345, "12,300"), (999_500, "1,000,000")],
)
def test_rates_have_three_digits_that_count(per_second: float, written: str) -> None:
    """More digits would be chance."""
    assert m.rate(per_second) == written


@given(st.floats(0.01, 1e7))
def test_a_written_rate_is_near_the_rate(per_second: float) -> None:
    """Within half a unit of the third digit: 0.5 %."""
    assert float(m.rate(per_second).replace(",", "")) == pytest.approx(per_second, rel=0.0051)


@given(st.lists(SHARES, min_size=len(DISTURBANCES), max_size=len(DISTURBANCES)))
def test_the_mean_robustness_lies_between_its_parts(shares: list[float]) -> None:
    """Every disturbance counts as much."""
    result = made_result("dense", robustness=dict(zip(DISTURBANCES, shares, strict=True)))
    mean = m.mean_robustness(result)
    assert mean is not None
    assert mean == pytest.approx(sum(shares) / len(shares))
    assert [measure.of(result) for measure in m.ROBUSTNESS] == shares


@given(st.sets(st.sampled_from(DISTURBANCES)))
def test_a_mean_of_some_disturbances_is_none(measured: set[str]) -> None:
    """Means over other disturbances do not compare."""
    assume(len(measured) < len(DISTURBANCES))
    assert m.mean_robustness(made_result("dense", robustness=dict.fromkeys(measured, 0.5))) is None


def test_each_measure_reads_its_own_field() -> None:
    """No two columns of a table show the same number."""
    result = made_result("dense", encode_per_second=7.0, training_seconds=8.0)
    result = replace(
        result, retrieval=replace(result.retrieval, mean_average_precision=0.11, euclidean=0.12, cosine=0.13)
    )
    columns = (
        *(m.TRAINING_ERROR, m.VALIDATION_ERROR, m.TEST_ERROR, m.TRAINING_TIME, m.ENCODE_RATE, m.PRECISION_AT_4),
        *(m.PRECISION_AT_10, m.MEAN_AVERAGE_PRECISION, m.PIXEL_RECALL, m.EUCLIDEAN, m.COSINE),
    )
    assert len({column.of(result) for column in columns}) == len(columns)
    assert len({column.heading for column in columns}) == len(columns)
