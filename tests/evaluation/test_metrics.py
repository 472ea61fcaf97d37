"""The measures of retrieval, against values worked out by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from evaluation import metrics
from evaluation.metrics import average_precision, by_vectors, found_first, measure_precision, measure_retrieval, nearest
from foundation.errors import UsageError

# Few values: most of the similarities are ties.
COARSE = arrays(np.float32, (5, 12), elements=st.sampled_from([-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 3.0]))


def table(rows):
    """Returns the search that has these similarities."""
    rows = np.asarray(rows, np.float32)
    return lambda indices: rows[indices]


def on_a_line(places):
    """Returns the search among photos at these places of a line."""
    vectors = np.asarray(places, np.float32)[:, None]
    return by_vectors(vectors, vectors, distance="euclidean")


def test_distances_order_as_they_should():
    """Euclidean is the negative squared distance, cosine the cosine minus one."""
    queries = np.array([[1, 0]], np.float32)
    gallery = np.array([[1, 0], [4, 4], [0, 2], [-3, 0]], np.float32)
    euclidean = by_vectors(queries, gallery, distance="euclidean")(np.array([0]))
    cosine = by_vectors(queries, gallery, distance="cosine")(np.array([0]))
    np.testing.assert_allclose(euclidean, [[0, -25, -5, -16]])
    np.testing.assert_allclose(cosine, [[0, np.sqrt(0.5) - 1, -1, -2]], rtol=1e-6)
    assert euclidean.dtype == cosine.dtype == np.float32


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_identical_vectors_are_at_zero_and_near_ones_are_not(distance):
    """Far from the origin, where float32 cancels, a vector is its own strictly nearest, at exactly 0."""
    generator = np.random.default_rng(0)
    vectors = (100 + 0.01 * generator.standard_normal((300, 256))).astype(np.float32)
    every = np.arange(300)
    similarity = by_vectors(vectors, vectors, distance=distance)
    assert np.all(np.diag(similarity(every)) == 0)
    assert found_first(similarity, every, every).all()


def test_a_vector_of_zeros_has_no_direction():
    """Its cosine is 0 with everything, never NaN."""
    vectors = np.array([[0, 0], [1, 1]], np.float32)
    similarity = by_vectors(vectors, vectors, distance="cosine")(np.arange(2))
    np.testing.assert_array_equal(similarity, [[-1, -1], [-1, 0]])


@pytest.mark.parametrize(
    ("queries", "distance", "message"),
    [
        (np.zeros((1, 2), np.float32), "hamming", "distance is 'hamming'; expected cosine or euclidean"),
        (np.zeros((1, 3), np.float32), "cosine", "expected two tables of one dimension"),
        (np.full((1, 2), np.nan, np.float32), "cosine", "1 of 1 vectors hold NaN"),
    ],
)
def test_vectors_that_cannot_be_compared_are_refused(queries, distance, message):
    """Unknown distances, other dimensions and NaN end in one line."""
    with pytest.raises(UsageError, match=message):
        by_vectors(queries, np.zeros((4, 2), np.float32), distance=distance)


def test_equally_near_photos_come_by_index():
    """Of ties the lower index is first, 0.0 and -0.0 are the same, and the photo itself can be left out."""
    similarity = table([[1, 0.0, 2, -0.0, 2, -1]])
    query = np.array([0])
    np.testing.assert_array_equal(nearest(similarity, query, 6, leave_out_self=False), [[2, 4, 0, 1, 3, 5]])
    np.testing.assert_array_equal(nearest(similarity, query, 3, leave_out_self=True), [[2, 4, 1]])


@given(COARSE, st.integers(1, 11))
def test_neighbours_are_those_of_a_stable_sort(similarities, k):
    """Whatever the ties, the k nearest are the first k of a stable sort without the query."""
    queries = np.arange(5)
    expected = [[column for column in np.argsort(-similarities[q], kind="stable") if column != q][:k] for q in queries]
    np.testing.assert_array_equal(nearest(table(similarities), queries, k, leave_out_self=True), expected)


@pytest.mark.parametrize("k", [0, 3])
def test_more_neighbours_than_photos_are_refused(k):
    """Three photos have two neighbours each."""
    with pytest.raises(UsageError, match=f"the {k} nearest of 2 photos"):
        nearest(on_a_line([0, 1, 2]), np.arange(3), k, leave_out_self=True)


def test_block_size_changes_nothing(monkeypatch):
    """Queries in blocks of three, with a rest, are measured as all at once."""
    vectors = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    similarity, queries, labels = by_vectors(vectors, vectors, distance="cosine"), np.arange(3, 40), np.arange(40) % 3
    neighbours = nearest(similarity, queries, 10, leave_out_self=True)
    whole = measure_retrieval(similarity, labels, queries, neighbours), found_first(similarity, queries, queries)
    monkeypatch.setattr(metrics, "BLOCK_ROWS", 3)
    np.testing.assert_array_equal(nearest(similarity, queries, 10, leave_out_self=True), neighbours)
    assert measure_retrieval(similarity, labels, queries, neighbours) == whole[0]
    np.testing.assert_array_equal(found_first(similarity, queries, queries), whole[1])


@pytest.mark.parametrize(
    ("similarities", "relevant", "expected"),
    [
        ([4, 3, 2, 1], [0, 1], 1),
        ([4, 3, 2, 1], [1, 3], (1 / 2 + 2 / 4) / 2),
        ([4, 3, 3, 1], [1], 1 / 3),  # tied with the third: both are retrieved in one step
        ([1, 1, 1, 1], [2], 1 / 4),
        ([-np.inf, 3, 2, 1], [0, 2], 1 / 2),
    ],
)
def test_average_precision_by_hand(similarities, relevant, expected):
    """Ties count as one step, whatever their order, and what is left out does not count."""
    assert average_precision(np.array(similarities, np.float32), np.array(relevant)) == pytest.approx(expected)


@given(arrays(np.float32, 12, elements=st.sampled_from([0.0, 1.0, 2.0, 3.0])), st.sets(st.integers(0, 11), min_size=1))
def test_average_precision_is_that_of_scikit_learn(similarities, relevant):
    """With ties and without, the two agree."""
    relevant = np.array(sorted(relevant))
    expected = average_precision_score(np.isin(np.arange(12), relevant), similarities)
    assert average_precision(similarities, relevant) == pytest.approx(expected)


def test_average_precision_without_a_relevant_photo_is_not_a_number():
    """There is nothing to find."""
    assert np.isnan(average_precision(np.array([1, 2], np.float32), np.array([], int)))


def test_retrieval_is_measured_without_the_query_and_without_lone_classes():
    """Twelve photos on a line: of the first three and the next eight one class each, the last is alone in its own."""
    similarity = on_a_line([0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 40])
    labels = np.array([5] * 3 + [7] * 8 + [9])
    queries = np.array([0, 11, 4])
    neighbours = nearest(similarity, queries, 10, leave_out_self=True)
    neighbours[0, :5] = 11  # five of the ten nearest of the first are said to be a photo that is not
    measured = measure_retrieval(similarity, labels, queries, neighbours)
    assert measured.queries == 3
    assert measured.precision_at_4 == pytest.approx((2 / 4 + 4 / 4) / 2)
    assert measured.precision_at_10 == pytest.approx((2 / 10 + 7 / 10) / 2)
    assert measured.mean_average_precision == pytest.approx(1)
    assert measured.pixel_recall_at_10 == pytest.approx((5 + 10 + 10) / 30)


def test_retrieval_agrees_with_scikit_learn_on_tied_vectors():
    """Mean average precision over hash-like codes is the mean of scikit-learn's, each query left out."""
    generator = np.random.default_rng(0)
    codes = generator.choice([-1, 1], (60, 6)).astype(np.float32)
    labels, every = generator.integers(0, 4, 60), np.arange(60)
    similarity = by_vectors(codes, codes, distance="euclidean")
    measured = measure_retrieval(similarity, labels, every, np.zeros((60, 10), int))
    oracle = [
        average_precision_score(np.delete(labels == labels[query], query), np.delete(-row, query))
        for query, row in enumerate(((codes[:, None] - codes) ** 2).sum(axis=2))
    ]
    assert measured.mean_average_precision == pytest.approx(np.mean(oracle))


def test_an_encoder_to_which_all_photos_are_alike_gains_nothing():
    """Average precision is the share of the class, and no photo is found first."""
    similarity, every = on_a_line(np.full(21, 3)), np.arange(21)
    measured = measure_retrieval(similarity, every % 3, every, np.zeros((21, 10), int))
    assert measured.mean_average_precision == pytest.approx(6 / 20)
    assert not found_first(similarity, every, every).any()


def test_precision_alone_is_that_of_retrieval():
    """One number for comparing distances, without lone classes."""
    similarity, labels = on_a_line([0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 40]), np.array([5] * 3 + [7] * 8 + [9])
    assert measure_precision(similarity, labels, np.array([0, 11, 4]), 4) == pytest.approx((2 / 4 + 4 / 4) / 2)


@pytest.mark.parametrize("measure", [measure_precision, measure_retrieval])
def test_classes_of_one_photo_each_are_refused(measure):
    """Nothing could be found."""
    last = 10 if measure is measure_precision else np.zeros((12, 10), int)
    with pytest.raises(UsageError, match="none of 12 queries has another photo of its class"):
        measure(on_a_line(range(12)), np.arange(12), np.arange(12), last)


def test_pixel_neighbours_of_another_shape_are_refused():
    """Ten are expected for each query."""
    with pytest.raises(UsageError, match=r"has shape \(3, 4\); expected \(3, 10\)"):
        measure_retrieval(on_a_line(range(12)), np.zeros(12), np.arange(3), np.zeros((3, 4), int))


def test_found_first_is_strict():
    """The target must be nearer than every other photo; as near is not found."""
    similarity = table([[3, 1, 2], [3, 3, 2], [1, 2, 3]])
    np.testing.assert_array_equal(found_first(similarity, np.arange(3), np.array([0, 1, 0])), [True, False, False])
