"""Options that name the widths of layers: what they mean, and what is refused."""

import pytest

from foundation.errors import UsageError
from training.architectures.blocks.widths import MAX_WIDTHS, widths


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("8", [8]), ("16-32-32", [16, 32, 32]), ("65536", [65_536]), ("-".join("1" * MAX_WIDTHS), [1] * 16)],
)
def test_widths_are_read_in_order(text, expected):
    """Whole numbers joined by hyphens; an empty text names none."""
    assert widths("hidden", text) == expected


@pytest.mark.parametrize("text", ["0", "65537", "-", "16-", "16--32", "1.5", "-8", " 8", "²", "١", "9" * 30])
def test_anything_else_is_refused(text):
    """The message names the option, what was received, and an example."""
    with pytest.raises(UsageError, match=r"filters is .*; expected whole numbers from 1 to 65536, .* such as '16-32'"):
        widths("filters", text)


def test_too_few_and_too_many_are_refused():
    """A map has to be halved at least once; more layers than these Keras cannot build."""
    with pytest.raises(UsageError, match="filters is ''; expected at least one width"):
        widths("filters", "", at_least=1)
    with pytest.raises(UsageError, match="such as '16-32', 16 at most"):
        widths("hidden", "-".join("1" * (MAX_WIDTHS + 1)))
