"""Findings: plain words that the numbers support, with their figures; what the numbers do not say is not said."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.study import findings
from evaluation.study import measures as m
from evaluation.study.findings import MOST, Finding, find
from evaluation.study.plan import COLOUR, COLOUR_ENTRY, DEFAULT_ENTRY
from evaluation.study.result import DISTURBANCES, Result
from evaluation.study.studied import DENOISING, PLAIN, Studied
from tests.evaluation.study.made_results import every_result, made_baseline, made_result

SHARES = st.floats(0, 1)


def studied(*results: Result, name: str = "mnist") -> Studied:
    """Returns a data set with those results."""
    return Studied(name, list(results), {})


def robust(entry: str, share: float, **changes: object) -> Result:
    """Returns an encoder that finds this share again after every disturbance."""
    return made_result(entry, robustness=dict.fromkeys(DISTURBANCES, share), **changes)


def possible(result: Result, best: float) -> Result:
    """Returns the result among photos of which a perfect search finds so many."""
    return replace(result, retrieval=replace(result.retrieval, best_precision_at_10=best))


def photographs(*results: Result) -> Studied:
    """Returns the data set of photographs with those results."""
    return studied(*(replace(result, dataset=COLOUR) for result in results), name=COLOUR)


def headline(finding: Finding | None) -> str:
    """Returns the words of a finding that there is."""
    assert finding is not None
    return finding.headline


@pytest.mark.parametrize(("share", "word"), [(0.54, "more"), (0.52, "as many"), (0.46, "fewer")])
def test_the_best_encoder_is_held_against_the_best_baseline(share: float, word: str) -> None:
    """By the shares found again: 0.5 for the baseline, and differences up to 0.03 are none."""
    made = studied(robust("dense", 0.1), robust("recurrent", share), made_baseline("raw_pixels"))
    found = findings.found_again([made])
    assert headline(found).endswith(f"the best encoder finds {word} disturbed photos again on MNIST")
    assert found is not None
    assert f"MNIST, *recurrent (LSTM)* {share:.3f} against *raw pixels* 0.500" in found.figures


def test_data_sets_that_disagree_are_told_apart() -> None:
    """Each outcome names its data sets, in the order of the page; what is counted is named once."""
    baseline = made_baseline("raw_pixels")
    found = findings.found_again(
        [
            photographs(robust("colour", 0.5), baseline),
            studied(robust("dense", 0.7), baseline),
            studied(robust("dense", 0.8), baseline, name="fashion_mnist"),
        ]
    )
    assert headline(found).endswith(
        "finds as many disturbed photos again on photographs, more on MNIST and Fashion-MNIST"
    )


@pytest.mark.parametrize(("precision", "is_said"), [(0.12, True), (0.13, False)])
def test_classes_that_nothing_finds_are_said_to_be_no_measure(precision: float, is_said: bool) -> None:
    """Below a quarter of what a perfect search would reach, by the best search of all, baselines too."""
    encoder, pixels = made_result("colour", precision=0.01), made_baseline("raw_pixels", precision=precision)
    found = findings.no_classes([photographs(possible(encoder, 0.5), possible(pixels, 0.5))])
    assert (found is not None) == is_said
    if found:
        assert headline(found).startswith("On photographs what looks alike is hardly ever of the same class")
        assert "*raw pixels* 0.120, a perfect search 0.500" in found.figures


def test_classes_that_nothing_finds_decide_nothing_else() -> None:
    """Neither which search is more precise nor whether reconstruction helps it is said of such a data set."""
    results = [made_result("colour", precision=0.02), made_result("dense", precision=0.01), made_baseline("raw_pixels")]
    weak = photographs(
        *(possible(replace(r, retrieval=replace(r.retrieval, precision_at_10=0.02)), 1.0) for r in results)
    )
    assert findings.same_class([weak]) is None
    assert findings.search_by_reconstruction([weak]) is None


def test_the_default_recipe_is_held_against_the_literature() -> None:
    """Found again, of the same class, and reconstructed: three words, three pairs of numbers."""
    default = robust(DEFAULT_ENTRY.name, 0.9, title=DEFAULT_ENTRY.title, error=0.02, precision=0.5)
    literature = robust(COLOUR_ENTRY.name, 0.8, title=COLOUR_ENTRY.title, error=0.01, precision=0.502)
    found = findings.default_recipe([photographs(literature, default)])
    assert headline(found) == (
        "Held against the literature's network for colour photos, the default recipe finds more disturbed photos "
        "again, finds as many of the same class and reconstructs worse"
    )
    assert found is not None
    assert "0.900 against 0.800 (better)" in found.figures
    assert "test MSE 0.02000 against 0.01000 (worse)" in found.figures
    assert findings.default_recipe([photographs(default)]) is None


def test_damage_in_training_is_judged_on_the_same_network() -> None:
    """The denoising network against the plain one, and nothing against another shape."""
    found = findings.damaged([studied(robust(DENOISING, 0.7), robust(PLAIN, 0.5))])
    assert headline(found).endswith("the same network finds more disturbed photos again on MNIST")
    assert findings.damaged([studied(robust(DENOISING, 0.7), robust("dense", 0.5))]) is None


@pytest.mark.parametrize(("precision", "words"), [(0.8, "less precise than another"), (0.9, "as precise as any")])
def test_reconstruction_is_not_search(precision: float, words: str) -> None:
    """Whether the smallest error goes with the highest precision."""
    sharp, other = made_result("dense", error=0.001, precision=precision), made_result("recurrent", precision=0.9)
    assert headline(findings.search_by_reconstruction([studied(sharp, other)])) == (
        f"The encoder that reconstructs best is {words} on MNIST"
    )
    assert findings.search_by_reconstruction([studied(sharp)]) is None


@pytest.mark.parametrize(
    ("errors", "words"),
    [((0.01, 0.02), "no encoder"), ((0.001, 0.02), "some encoders"), ((0.001, 0.002), "every encoder")],
)
def test_pca_is_beaten_at_its_own_length_only(errors: tuple[float, float], words: str) -> None:
    """An encoder of another dimension is not held against it."""
    encoders = [made_result(entry, error=error) for entry, error in zip(("dense", "recurrent"), errors, strict=True)]
    longer = made_result("attention", dimension=512, error=1e-6)
    found = findings.beside_pca([studied(*encoders, longer, made_baseline("pca"))])
    assert headline(found) == f"PCA of the same length is beaten at reconstruction by {words} on MNIST"
    assert found is not None
    assert f"MNIST, {sum(error < 0.0037 for error in errors)} of 2" in found.figures


def test_nothing_is_found_in_nothing() -> None:
    """No data set, a baseline alone, and one encoder alone say nothing."""
    assert find([]) == []
    assert find([studied(made_baseline("raw_pixels"))]) == []
    assert find([studied(made_result("dense"))]) == []


def test_five_findings_are_enough() -> None:
    """A whole study has more to say; photographs come first in each sentence."""
    mnist, fashion = (studied(*every_result(name), name=name) for name in ("mnist", "fashion_mnist"))
    colour = photographs(made_result("colour"), made_result("convolutional"), made_baseline("pca", precision=0.01))
    found = find([colour, mnist, fashion])
    assert len(found) == MOST == 5
    assert len({finding.headline for finding in found}) == 5
    assert found[0].figures.index("photographs") < found[0].figures.index("MNIST")


@given(SHARES, SHARES, SHARES, SHARES)
def test_no_finding_contradicts_its_figures(encoder: float, baseline: float, precision: float, other: float) -> None:
    """Whatever the numbers: the word agrees with the two values that stand behind it."""
    pixels = replace(
        made_baseline("raw_pixels", precision=other), robustness=dict.fromkeys(DISTURBANCES, baseline)
    )  # fmt: skip
    made = studied(robust("dense", encoder, precision=precision), pixels)
    for question, equal in ((findings.found_again, m.EQUAL_ROBUSTNESS), (findings.same_class, m.EQUAL_SHARES)):
        found = question([made])
        if found is None:
            assert max(precision, other) < findings.HARDLY
            continue
        one, two = (float(value) for value in re.findall(r"\* (\d\.\d{3})", found.figures))
        if " more " in found.headline:
            assert one >= two + equal - 0.001
        elif " fewer " in found.headline:
            assert one <= two - equal + 0.001
        else:
            assert abs(one - two) <= equal + 0.001
