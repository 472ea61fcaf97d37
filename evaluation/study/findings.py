"""Finds what to say first: a few sentences in plain words, made of the numbers of all data sets together.

What the numbers do not speak to is not said, and `Measure.compare` decides what is more, as much or less.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluation.study import measures as m
from evaluation.study.conclusions import versus
from evaluation.study.measures import Measure
from evaluation.study.plan import COLOUR_ENTRY, DEFAULT_ENTRY
from evaluation.study.result import Result
from evaluation.study.studied import DENOISING, PLAIN, Studied

MOST = 5
# Below this part of what a perfect search would reach, even the best search says hardly anything about classes.
HARDLY = 0.25
MORE = {1: "more", 0: "as many", -1: "fewer"}
BEST_OF_BOTH = "Held against the best search without a neural network, the best encoder"


@dataclass(frozen=True)
class Finding:
    """A sentence for everybody, and the figures that it is made of."""

    headline: str
    figures: str


@dataclass(frozen=True)
class Pair:
    """Two entries held against each other on one data set."""

    studied: Studied
    one: Result
    other: Result

    def figures(self, measure: Measure) -> str:
        """Returns both values with their names."""
        return f"{self.studied.spoken}, {_named(self.one, measure)} against {_named(self.other, measure)}"


def find(studies: Sequence[Studied]) -> list[Finding]:
    """Returns the findings that the numbers support, the most important first, at most five."""
    questions = (found_again, no_classes, default_recipe, same_class, damaged, search_by_reconstruction, beside_pca)
    findings = (question(studies) for question in questions)
    return [finding for finding in findings if finding][:MOST]


def found_again(studies: Sequence[Studied]) -> Finding | None:
    """The best encoder against the best baseline, by the disturbed photos that they find again."""
    pairs = _pairs(studies, lambda studied: _best_of_both(studied, m.MEAN_ROBUSTNESS))
    return _compared(f"{BEST_OF_BOTH} finds", pairs, m.MEAN_ROBUSTNESS, MORE, "disturbed photos again")


def no_classes(studies: Sequence[Studied]) -> Finding | None:
    """The data sets on which even the best search finds hardly anything of the query's class."""
    found = {s.spoken: best for s in studies if (best := m.PRECISION_AT_10.best(s.main)) and _is_hardly(best)}
    if not found:
        return None
    figures = "; ".join(
        f"{spoken}, {_named(best, m.PRECISION_AT_10)}, a perfect search {best.retrieval.best_precision_at_10:.3f}"
        for spoken, best in found.items()
    )
    headline = f"On {_listed(list(found))} what looks alike is hardly ever of the same class, whatever the search"
    return Finding(headline, f"{m.PRECISION_AT_10.words}: {figures}")


def default_recipe(studies: Sequence[Studied]) -> Finding | None:
    """The default recipe against the literature's network for colour photos."""
    pairs = _pairs(studies, lambda studied: (studied.find(DEFAULT_ENTRY.name), studied.find(COLOUR_ENTRY.name)))
    if not pairs:
        return None
    one, other = pairs[0].one, pairs[0].other
    words = {
        m.MEAN_ROBUSTNESS: {outcome: f"finds {count} disturbed photos again" for outcome, count in MORE.items()},
        m.PRECISION_AT_10: {outcome: f"finds {count} of the same class" for outcome, count in MORE.items()},
        m.TEST_ERROR: {1: "reconstructs better", 0: "reconstructs as well", -1: "reconstructs worse"},
    }
    outcomes = {measure: measure.compare(one, other) for measure in words}
    said = [words[measure][outcome] for measure, outcome in outcomes.items() if outcome is not None]
    headline = f"Held against the literature's network for colour photos, the default recipe {_listed(said)}"
    figures = "; ".join(versus(measure, one, other) for measure in words if outcomes[measure] is not None)
    return Finding(headline, f"*{one.title}* against *{other.title}*: {figures}")


def same_class(studies: Sequence[Studied]) -> Finding | None:
    """The best encoder against the best baseline, by the photos of the query's class, where any search finds those."""
    pairs = _pairs(_with_classes(studies), lambda studied: _best_of_both(studied, m.PRECISION_AT_10))
    return _compared(f"{BEST_OF_BOTH} finds", pairs, m.PRECISION_AT_10, MORE, "photos of the same class")


def damaged(studies: Sequence[Studied]) -> Finding | None:
    """One network trained on damaged photos against the same trained on clean ones."""
    pairs = _pairs(studies, lambda studied: (studied.find(DENOISING), studied.find(PLAIN)))
    headline = "Trained on damaged photos instead of clean ones, the same network finds"
    return _compared(headline, pairs, m.MEAN_ROBUSTNESS, MORE, "disturbed photos again")


def search_by_reconstruction(studies: Sequence[Studied]) -> Finding | None:
    """The encoder that reconstructs best against the most precise one, where there are two encoders and more."""
    pairs = _pairs(
        [studied for studied in _with_classes(studies) if len(studied.encoders) > 1],
        lambda studied: (m.TEST_ERROR.best(studied.encoders), m.PRECISION_AT_10.best(studied.encoders)),
    )
    words = {0: "as precise as any", -1: "less precise than another"}
    return _compared("The encoder that reconstructs best is", pairs, m.PRECISION_AT_10, words)


def beside_pca(studies: Sequence[Studied]) -> Finding | None:
    """How many encoders have a smaller error than PCA of their own dimension."""
    words, figures = {}, []
    for studied in studies:
        pca = {result.dimension: result for result in studied.curve("pca")}
        outcomes = [m.TEST_ERROR.compare(r, pca[r.dimension]) for r in studied.encoders if r.dimension in pca]
        if outcomes:
            better, every = outcomes.count(1), len(outcomes)
            words[studied.spoken] = "every encoder" if better == every else "some encoders" if better else "no encoder"
            figures.append(f"{studied.spoken}, {better} of {every}")
    if not words:
        return None
    headline = f"PCA of the same length is beaten at reconstruction by {_by_place(words)}"
    return Finding(headline, f"encoders with a smaller {m.TEST_ERROR.words} than PCA: {'; '.join(figures)}")


def _compared(
    headline: str, pairs: Sequence[Pair], measure: Measure, words: dict[int, str], of_what: str = ""
) -> Finding | None:
    """Returns the headline, continued by which data sets have which outcome."""
    outcomes = {pair.studied.spoken: measure.compare(pair.one, pair.other) for pair in pairs}
    said = {place: words[outcome] for place, outcome in outcomes.items() if outcome is not None}
    figures = "; ".join(pair.figures(measure) for pair in pairs if pair.studied.spoken in said)
    return Finding(f"{headline} {_by_place(said, of_what)}", f"{measure.words}: {figures}") if said else None


def _by_place(words: dict[str, str], of_what: str = "") -> str:
    """Returns `fewer photos on photographs, more on MNIST and Fashion-MNIST` for the words by data set.

    Data sets with the same outcome are named together, and `of_what` once, so that the sentence stays short.
    """
    places = {each: [place for place, own in words.items() if own == each] for each in dict.fromkeys(words.values())}
    parts: list[str] = []
    for each, found in places.items():
        noun = f" {of_what}" if of_what and not parts else ""
        parts.append(f"{each}{noun} on {_listed(found)}")
    return ", ".join(parts)


def _pairs(studies: Sequence[Studied], choose: Callable[[Studied], tuple[Result | None, Result | None]]) -> list[Pair]:
    """Returns what is chosen on each data set, where there are both."""
    chosen = ((studied, *choose(studied)) for studied in studies)
    return [Pair(studied, one, other) for studied, one, other in chosen if one and other]


def _best_of_both(studied: Studied, measure: Measure) -> tuple[Result | None, Result | None]:
    return measure.best(studied.encoders), measure.best(studied.baselines)


def _with_classes(studies: Sequence[Studied]) -> list[Studied]:
    return [s for s in studies if (best := m.PRECISION_AT_10.best(s.main)) and not _is_hardly(best)]


def _is_hardly(best: Result) -> bool:
    return best.retrieval.precision_at_10 < HARDLY * best.retrieval.best_precision_at_10


def _named(result: Result, measure: Measure) -> str:
    return f"*{result.title}* {measure.written(result)}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
