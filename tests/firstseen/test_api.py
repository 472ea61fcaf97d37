"""The Python API: two names, and nothing loaded before it is used."""

import subprocess
import sys

import pytest

import firstseen
from tests.conftest import REPOSITORY, Desk


def test_importing_it_loads_nothing_heavy():
    """A program that only wants the version does not wait for TensorFlow."""
    code = "import sys, firstseen; firstseen.__version__; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"tensorflow", "keras", "apache_beam", "pyarrow", "scann", "cv2", "numpy"}


def test_a_store_is_searched_in_three_lines(live_desk: Desk):
    """As the package's own documentation says."""
    photo = sorted(live_desk.archive.rglob("*.jpg"))[2]
    with firstseen.Searcher.open(str(live_desk.store)) as searcher:
        (answers,) = searcher.lookup([str(photo)])
    assert (answers[0].photo_id, answers[0].verdict) == (str(photo.relative_to(live_desk.archive)), "identical")


def test_an_unknown_name_is_answered_with_those_there_are():
    """As of any module, but with the list."""
    with pytest.raises(AttributeError, match="has no attribute 'Search'; it has Searcher, __version__"):
        _ = firstseen.Search
