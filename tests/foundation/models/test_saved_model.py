"""SavedModels: what they say without TensorFlow; `tests/foundation/test_encoder.py` runs them."""

import sys
from pathlib import Path

import pytest

from foundation.errors import UsageError
from foundation.models.saved_model import SavedModel


def test_without_tensorflow_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that only encodes and looks up may do without, until an encoder has no other form."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(UsageError, match=r"TensorFlow is not installed; .*: pip install 'firstseen\[cpu\]'"):
        SavedModel(tmp_path)
