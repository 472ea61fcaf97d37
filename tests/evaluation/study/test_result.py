"""Results: read as they were written, those of older versions too; damaged ones are refused by name."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.study.result import DESCRIPTION, EXAMPLES, read_examples, read_result
from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from tests.evaluation.study.made_results import made_baseline, made_examples, made_result, write_results

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SETTINGS = st.dictionaries(
    st.text(max_size=8), st.integers(-(2**40), 2**40) | NUMBERS | st.booleans() | st.text(max_size=8)
)
# What the study of an hour ago wrote of an encoder: every field that it had, and none of those that came later.
OLDER = {
    "dataset": "mnist",
    "dimension": 64,
    "distance": "euclidean",
    "encode_per_second": None,
    "encoder_id": "dense-52973f5f3fbc",
    "entry": "dense",
    "errors": {"test": 0.0024, "training": 0.0022, "validation": 0.0025},
    "history": [[0.037, 0.0096], [0.0071, 0.0057]],
    "kind": "autoencoder",
    "number": 1,
    "parameters": 870_224,
    "photos": "1b20a2548b079a5b",
    "recipe": "dense",
    "retrieval": {
        "best_precision_at_10": 1.0,
        "cosine": 0.92,
        "euclidean": 0.911,
        "mean_average_precision": 0.412,
        "pixel_recall_at_10": 0.786,
        "precision_at_10": 0.911,
        "precision_at_4": 0.936,
        "queries": 10_000,
    },
    "robustness": {"blur": 0.85, "noise": 0.93, "occlusion": 0.95, "rotation": 0.44, "shift": 0.37},
    "title": "fully connected",
    "training_seconds": None,
}


def write(directory, content) -> None:
    """Writes a description as it stands."""
    (directory / DESCRIPTION).write_text(content if isinstance(content, str) else json.dumps(content))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SETTINGS | st.none(), st.lists(st.lists(NUMBERS, min_size=2, max_size=2), max_size=3), st.text(max_size=12))
def test_a_result_is_read_as_it_was_written(tmp_path, settings_of_training, history, title):
    """Whatever the settings, losses and title: numbers keep their type, so that 1 is not True and not 1.0."""
    written = replace(made_result("dense"), settings=settings_of_training, history=history, title=title)
    (tmp_path / DESCRIPTION).write_bytes(artifact.to_json(written))
    found = read_result(tmp_path)
    assert found == written
    types = [{name: type(value) for name, value in (result.settings or {}).items()} for result in (found, written)]
    assert types[0] == types[1]


def test_results_of_older_versions_stay_readable(tmp_path):
    """Hours of training are not lost for a field that came later."""
    write(tmp_path, OLDER)
    found = read_result(tmp_path)
    assert found.settings is None
    assert (found.entry, found.retrieval.precision_at_10, found.errors.test) == ("dense", 0.911, 0.0024)


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ({"dimension": "64"}, "dimension"),
        ({"kind": "transformer"}, "kind"),
        ({"retrieval": {}}, r"retrieval\.queries"),
        ({"colour": 1}, "colour"),
        ({"history": [[0.1, "low"]]}, r"history\.0\.1"),
        ({"robustness": [0.5]}, "robustness"),
    ],
)
def test_a_damaged_field_is_named(tmp_path, damage, where):
    """The message says which file, which field, and what to do."""
    write(tmp_path, {**OLDER, **damage})
    with pytest.raises(ArtifactRefusedError, match=rf"result\.json is damaged at '{where}.*'.*; remove it and run"):
        read_result(tmp_path)


@pytest.mark.parametrize("missing", ["dataset", "entry", "photos", "retrieval", "robustness"])
def test_a_field_that_was_always_there_is_missed(tmp_path, missing):
    """Only what came later has a default."""
    write(tmp_path, {name: value for name, value in OLDER.items() if name != missing})
    with pytest.raises(ArtifactRefusedError, match=f"damaged at '{missing}'"):
        read_result(tmp_path)


@pytest.mark.parametrize("torn", ["", "{", "null", "[]", json.dumps(OLDER)[:-40]])
def test_half_a_file_is_refused(tmp_path, torn):
    """Whatever an interruption left."""
    write(tmp_path, torn)
    with pytest.raises(ArtifactRefusedError, match=r"result\.json is damaged"):
        read_result(tmp_path)


def test_a_missing_result_is_not_a_damaged_one(tmp_path):
    """The study trains what is missing, and refuses what is damaged."""
    with pytest.raises(FileNotFoundError):
        read_result(tmp_path)


def test_examples_are_read_as_they_were_written(tmp_path):
    """Every array, with its type and shape."""
    kept = made_examples()
    write_results(tmp_path, [made_baseline("pca")], examples=kept)
    found = read_examples(tmp_path / "mnist" / "pca")
    assert found.keys() == kept.keys()
    for name, array in kept.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array)


def test_examples_with_objects_are_refused_unread(tmp_path):
    """A pickle runs whatever its writer wanted."""
    np.savez(tmp_path / EXAMPLES, photos=np.array([{"a": 1}], object))
    with pytest.raises(ArtifactRefusedError, match=r"examples\.npz is damaged .*pickle"):
        read_examples(tmp_path)
