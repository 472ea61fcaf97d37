"""What libraries print: dropped, and only while it is asked for."""

import os

import pytest

from foundation.stderr import quiet_stderr


def test_what_cpp_prints_stays_off_the_terminal(capfd: pytest.CaptureFixture) -> None:
    """C++ writes to the descriptor itself; afterwards stderr is as it was, also after an error."""

    def build() -> None:
        with quiet_stderr():
            os.write(2, b"from C++")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        build()
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
