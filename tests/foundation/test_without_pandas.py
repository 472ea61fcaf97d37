"""pyarrow is kept from importing pandas, and still makes DataFrames."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

pytest.importorskip("pandas", reason="pandas, an extra, is not installed")

SCRIPT = """
import sys
from foundation.without_pandas import leave_out_pandas
leave_out_pandas()
import pyarrow as pa
table = pa.table({"at": pa.array([0, 1]).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))})
assert table["at"].to_pylist()[0].isoformat() == "1970-01-01T00:00:00+00:00"
assert "pandas" not in sys.modules
import pandas
assert isinstance(table.to_pandas(), pandas.DataFrame)
assert pa.array(pandas.Series([1, 2])).to_pylist() == [1, 2]
"""


def test_dates_are_read_without_pandas_and_data_frames_are_still_made():
    """A process of its own, for pyarrow looks for pandas once."""
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=REPOSITORY, check=True, capture_output=True)
