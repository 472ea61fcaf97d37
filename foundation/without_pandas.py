"""Keeps pyarrow from importing pandas: that takes 0.4 s and 50 MB where it is installed, and no command needs it."""

import sys
from importlib.abc import MetaPathFinder


class _Absent(MetaPathFinder):
    """Says of pandas that it is not installed."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)


def leave_out_pandas() -> None:
    """Lets pyarrow look for pandas, which it does once in a process, and not find it; others import it as ever.

    For commands alone: pyarrow then takes a Series for a plain sequence. Who asks it for a DataFrame gets one.
    """
    import pyarrow as pa

    absent = _Absent()
    sys.meta_path.insert(0, absent)
    try:
        # Its Python part and its C++ part look each for themselves, the latter at the first value whose type it infers.
        pa.array([0])
    finally:
        sys.meta_path.remove(absent)
