"""Checks values and digests: every message says what was received, what was expected, and the remedy."""

import math
from collections.abc import Iterable

from foundation.errors import ArtifactRefusedError, UsageError


def require_range(name: str, value: float, lowest: float, highest: float = math.inf, *, remedy: str = "") -> None:
    """Raises UsageError unless `lowest <= value <= highest`; a value that is not a number is outside every range.

    `name` is what the user typed, such as `--top-k`; `remedy` says why, or what to do instead.
    """
    if not lowest <= value <= highest:
        expected = f"at least {lowest:,}" if highest == math.inf else f"{lowest:,} to {highest:,}"
        raise UsageError(f"{name} is {value}; expected {expected}" + (f": {remedy}" if remedy else ""))


def require_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Raises UsageError listing the choices unless `value` is one of them."""
    known = list(choices)
    if value not in known:
        raise UsageError(f"{name} is {value!r}; expected one of: {', '.join(map(str, known))}")


def require_digest(what: str, found: str, *, expected: str, named_by: str, remedy: str) -> None:
    """Raises ArtifactRefusedError naming both sides unless an artifact has the digest that another one names.

    Digests are SHA-256 in hex. `what` is the artifact that was found, `named_by` the one that names the digest.
    """
    if found != expected:
        raise ArtifactRefusedError(
            f"{what} has the digest {found[:12] or 'of none'}…, {named_by} names {expected[:12]}…; {remedy}"
        )
