"""Draws conclusions in words from the numbers only: pure functions of the results."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from evaluation.study import measures as m
from evaluation.study.measures import Measure
from evaluation.study.plan import COLOUR_ENTRY, DEFAULT_ENTRY
from evaluation.study.result import Result
from evaluation.study.studied import DENOISING, PLAIN, VARIATIONAL, Studied

WITH_AND_WITHOUT_DENSE = (
    ("convolution_dense_upsampling", "convolution_upsampling"),
    ("convolution_dense_transpose", "convolution_transpose"),
)
VARIATIONAL_AND_PLAIN = (
    (VARIATIONAL, PLAIN),
    (VARIATIONAL, "convolution_dense_upsampling"),
    ("variational_recurrent", "recurrent"),
)
# Recurrent networks against the convolutional one of their kind, and attention against recurrence without it.
SEQUENCES = (
    ("recurrent", PLAIN),
    ("variational_recurrent", VARIATIONAL),
    ("attention", PLAIN),
    ("attention", "recurrent"),
)
DEFAULT_AND_LITERATURE = ((DEFAULT_ENTRY.name, COLOUR_ENTRY.name),)
# The denoising network was trained on these, so that only the other disturbances are new to it.
SEEN_IN_TRAINING = ("noise", "blur", "occlusion")
# An encoder that is less precise than the best by no more than this can still be chosen for its speed or its size.
NEARLY = 0.02


@dataclass(frozen=True)
class Conclusion:
    """A question, and what the results of each data set say to it, one sentence or more each."""

    question: str
    findings: list[str]


@dataclass(frozen=True)
class Duel:
    """One entry held against another: at each dimension that both have, otherwise as they stand in the tables."""

    pairs: list[tuple[Result, Result]]

    def outcomes(self, measure: Measure) -> list[int]:
        """Returns 1, 0 or -1 for each pair that has the measure: better, equal, worse."""
        compared = (measure.compare(one, other) for one, other in self.pairs)
        return [outcome for outcome in compared if outcome is not None]

    def sentence(self, measures: Sequence[Measure]) -> str:
        """Returns the numbers of the pair of the tables, or of the largest dimension, and the count over all."""
        one, other = next((pair for pair in self.pairs if "@" not in pair[0].entry), self.pairs[-1])
        numbers = ", ".join(
            versus(measure, one, other) for measure in measures if measure.compare(one, other) is not None
        )
        counts = "; ".join(f"{measure.words} {_count(self.outcomes(measure))}" for measure in measures)
        every = f" Over {len(self.pairs)} dimensions: {counts}." if len(self.pairs) > 1 else ""
        return f"*{one.title}* against *{other.title}*, {_terms(one, other)}: {numbers}.{every}"


def conclude(studies: Sequence[Studied]) -> list[Conclusion]:
    """Returns the questions of the study with their answers; a question that no result speaks to is left out."""
    questions: tuple[tuple[str, Callable[[Studied], Iterable[str]]], ...] = (
        ("Does the default recipe beat the literature's network for colour photos?", default_recipe),
        ("Does an autoencoder with fully connected layers beat one without?", fully_connected),
        ("Is a variational autoencoder better for search?", variational),
        ("What do recurrence and attention cost, and what do they bring?", recurrence),
        ("Does denoising make an encoder robust?", denoising),
        ("Are encoders better than what needs no neural network?", baselines),
        ("Euclidean distance or cosine?", distances),
        ("Which encoder for what?", choice),
    )
    made = [
        Conclusion(question, [f"**{s.heading}.** {finding}" for s in studies for finding in answer(s)])
        for question, answer in questions
    ]
    return [conclusion for conclusion in made if conclusion.findings]


def duel(studied: Studied, one: str, other: str) -> Duel | None:
    """Returns the pairs at equal dimensions and epochs, else the two of the tables; None if one is missing."""
    ours = {result.dimension: result for result in studied.curve(one)}
    theirs = {result.dimension: result for result in studied.curve(other)}
    pairs = [(ours[dimension], theirs[dimension]) for dimension in sorted(ours.keys() & theirs.keys())]
    # A curve's points may have trained for longer: only equally long trainings are held against each other.
    pairs = [pair for pair in pairs if len(pair[0].history) == len(pair[1].history)]
    first, second = studied.find(one), studied.find(other)
    if not pairs and first and second:
        pairs = [(first, second)]
    return Duel(pairs) if pairs else None


def verdict(outcomes: Sequence[int]) -> str:
    """Returns yes if nothing is worse and something better, no the other way round, else equal or mixed."""
    if not any(outcomes):
        return "no difference"
    if min(outcomes) >= 0:
        return "yes"
    return "no" if max(outcomes) <= 0 else "mixed"


def versus(measure: Measure, one: Result, other: Result) -> str:
    """Returns both values and which is better: `test MSE 0.00912 against 0.01100 (better)`."""
    return _values(measure, one, other, measure.words)


def default_recipe(studied: Studied) -> Iterable[str]:
    """The default recipe against entry 11: what is found, what is found again, and the error."""
    return _judge(studied, DEFAULT_AND_LITERATURE, (m.PRECISION_AT_10, m.MEAN_ROBUSTNESS, m.TEST_ERROR))


def fully_connected(studied: Studied) -> Iterable[str]:
    """Entries 4 against 2 and 5 against 3: the error and the precision, at equal dimensions."""
    return _judge(studied, WITH_AND_WITHOUT_DENSE, (m.TEST_ERROR, m.PRECISION_AT_10))


def variational(studied: Studied) -> Iterable[str]:
    """Entries 6 against 5 and 4, and 7 against 8: what is found."""
    return _judge(studied, VARIATIONAL_AND_PLAIN, (m.PRECISION_AT_10, m.MEAN_AVERAGE_PRECISION))


def recurrence(studied: Studied) -> Iterable[str]:
    """Entries 7, 8 and 9 against their counterparts: cost as ratios, then error and precision."""
    for one, other in SEQUENCES:
        result, plain = studied.find(one), studied.find(other)
        if result and plain:
            brings = ", ".join(versus(measure, result, plain) for measure in (m.TEST_ERROR, m.PRECISION_AT_10))
            costs = _ratios(result, plain)
            yield f"*{result.title}* against *{plain.title}*, {_dimensions(result, plain)}: {costs}{brings}."


def denoising(studied: Studied) -> Iterable[str]:
    """Entry 10 against the plain network, the variational one beside it: the share found again, by disturbance.

    The denoising network is judged apart on what it was trained on, and on what it never saw.
    """
    plain = studied.find(PLAIN)
    for result in filter(None, map(studied.find, (DENOISING, VARIATIONAL))):
        if plain and result.robustness and plain.robustness:
            shares = ", ".join(
                _values(each, result, plain, each.heading) for each in (m.MEAN_ROBUSTNESS, *m.ROBUSTNESS)
            )
            against = f"*{result.title}* against *{plain.title}*"
            yield f"{result.kind.capitalize()}: {_robust(result, plain)}. Found again, {against}: {shares}."


def _robust(result: Result, plain: Result) -> str:
    def judged(measures: Iterable[Measure]) -> str:
        return verdict([outcome for each in measures if (outcome := each.compare(result, plain)) is not None])

    if result.entry != DENOISING:
        return f"**{judged(m.ROBUSTNESS)}**"
    seen = judged(each for each in m.ROBUSTNESS if each.heading in SEEN_IN_TRAINING)
    unseen = judged(each for each in m.ROBUSTNESS if each.heading not in SEEN_IN_TRAINING)
    return f"**{seen}** for noise, blur and occlusion, the like of which it was trained on; **{unseen}** for the others"


def baselines(studied: Studied) -> Iterable[str]:
    """The most precise encoder against each baseline, and every encoder against PCA at its own dimension."""
    best = m.PRECISION_AT_10.best(studied.encoders)
    if not best or not studied.baselines:
        return
    groups = {1: "is more precise than", 0: "equals", -1: "is less precise than"}
    parts = []
    for outcome, words in groups.items():
        beaten = [each for each in studied.baselines if m.PRECISION_AT_10.compare(best, each) == outcome]
        if beaten:
            parts.append(f"{words} " + ", ".join(f"{each.title} ({_precision(each)})" for each in beaten))
    yield f"The most precise encoder, *{best.title}* ({_precision(best)}), {'; it '.join(parts)}."
    yield from _against_pca(studied)


def distances(studied: Studied) -> Iterable[str]:
    """How many encoders find more by either distance."""
    known = [r for r in studied.encoders if r.retrieval.euclidean is not None and r.retrieval.cosine is not None]
    gains = [(r.retrieval.cosine or 0.0) - (r.retrieval.euclidean or 0.0) for r in known]
    if not known:
        return
    cosine, euclidean = sum(g > m.EQUAL_SHARES for g in gains), sum(g < -m.EQUAL_SHARES for g in gains)
    at_most = max(range(len(known)), key=lambda index: abs(gains[index]))
    widest = known[at_most]
    yield (
        f"Of {_encoders(known)} {cosine} find more by cosine, {euclidean} by Euclidean distance, "
        f"{len(known) - cosine - euclidean} as much by either. The widest difference is that of *{widest.title}*: "
        f"precision@10 {m.COSINE.written(widest)} by cosine, {m.EUCLIDEAN.written(widest)} by Euclidean distance."
    )


def choice(studied: Studied) -> Iterable[str]:
    """The best encoder for each purpose; the fast and the short one among those nearly as precise as the best."""
    precise = m.PRECISION_AT_10.best(studied.encoders)
    if not precise or len(studied.encoders) == 1:
        return  # nothing to choose from
    floor = precise.retrieval.precision_at_10 - NEARLY
    # The most precise encoder is itself among those near it, so there is always one to choose.
    near = [result for result in studied.encoders if result.retrieval.precision_at_10 >= floor]
    shortest = min(near, key=lambda result: (result.dimension, -result.retrieval.precision_at_10))
    chosen = [
        ("to find what is alike", precise, m.PRECISION_AT_10),
        ("to reconstruct", m.TEST_ERROR.best(studied.encoders), m.TEST_ERROR),
        ("for disturbed photos", m.MEAN_ROBUSTNESS.best(studied.encoders), m.MEAN_ROBUSTNESS),
        (f"to encode fast, within {NEARLY} of the best precision@10", m.ENCODE_RATE.best(near), m.ENCODE_RATE),
        (f"for the shortest code, within {NEARLY} of the best precision@10", shortest, m.PRECISION_AT_10),
    ]
    yield "".join(f"\n  - {purpose}: {_chosen(best, measure)}" for purpose, best, measure in chosen if best)


def _chosen(result: Result, measure: Measure) -> str:
    return f"*{result.title}*, {result.dimension} dimensions ({measure.words} {measure.written(result)})"


def _values(measure: Measure, one: Result, other: Result, words: str) -> str:
    word = {1: "better", 0: "equal", -1: "worse", None: "unknown"}[measure.compare(one, other)]
    return f"{words} {measure.written(one)} against {measure.written(other)} ({word})"


def _judge(studied: Studied, entries: Iterable[tuple[str, str]], measures: Sequence[Measure]) -> Iterable[str]:
    duels = [found for one, other in entries if (found := duel(studied, one, other))]
    outcomes = [outcome for each in duels for measure in measures for outcome in each.outcomes(measure)]
    if duels:
        yield "\n  - ".join([f"**{verdict(outcomes).capitalize()}.**", *(each.sentence(measures) for each in duels)])


def _against_pca(studied: Studied) -> Iterable[str]:
    pca = {result.dimension: result for result in studied.curve("pca")}
    pairs = [(result, pca[result.dimension]) for result in studied.encoders if result.dimension in pca]
    if pairs:
        counts = "; ".join(
            f"{each.words} {_count(Duel(pairs).outcomes(each))}" for each in (m.TEST_ERROR, m.PRECISION_AT_10)
        )
        yield f"{_encoders(pairs)} against PCA at their own dimension: {counts}."


def _ratios(result: Result, plain: Result) -> str:
    parts = []
    if result.training_seconds and plain.training_seconds:
        parts.append(
            f"training took {_times(result.training_seconds / plain.training_seconds)} as long "
            f"({m.TRAINING_TIME.written(result)} against {m.TRAINING_TIME.written(plain)})"
        )
    if result.encode_per_second and plain.encode_per_second:
        ratio = _times(result.encode_per_second / plain.encode_per_second)
        rates = f"{m.ENCODE_RATE.written(result)} against {m.ENCODE_RATE.written(plain)} photos/s"
        parts.append(f"it encodes at {ratio} the rate ({rates})")
    return ", ".join(parts) + "; " if parts else ""


def _encoders(found: Sequence[object]) -> str:
    return f"{len(found)} encoder" + ("s" if len(found) != 1 else "")


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio < 10 else f"{ratio:.0f} times"


def _precision(result: Result) -> str:
    return m.PRECISION_AT_10.written(result)


def _count(outcomes: Sequence[int]) -> str:
    words = ((1, "better"), (0, "equal"), (-1, "worse"))
    parts = [f"{word} {outcomes.count(outcome)}×" for outcome, word in words if outcome in outcomes]
    return ", ".join(parts) or "unknown"


def _dimensions(one: Result, other: Result) -> str:
    if one.dimension == other.dimension:
        return f"both at {one.dimension} dimensions"
    return f"at {one.dimension} and {other.dimension} dimensions, so not like for like"


def _terms(one: Result, other: Result) -> str:
    """Returns the dimensions, and sizes and epochs where these differ: what else could make the difference."""
    terms = _dimensions(one, other)
    if one.parameters and other.parameters and one.parameters != other.parameters:
        terms += f", with {one.parameters:,} and {other.parameters:,} parameters"
    if len(one.history) != len(other.history):
        terms += f", after {len(one.history)} and {len(other.history)} epochs"
    return terms
