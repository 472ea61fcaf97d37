"""Reads what the environment says of how to serve; flags of the command line win."""

import difflib
import os
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from foundation.errors import UsageError
from foundation.memory import parse_bytes
from serving.http.options import ServeOptions
from serving.live.options import LiveOptions

# A variable begins with this, and goes on with the name of a flag in capitals.
PREFIX = "FIRSTSEEN_SERVE_"
KINDS = {"store": str, **get_type_hints(ServeOptions), **get_type_hints(LiveOptions)}
WORDS = {int: "a whole number", float: "a number", bool: "true or false"}


def read_settings() -> dict[str, Any]:
    """Returns what the environment sets, by the names of options; paths are texts, and an empty variable is none.

    Raises UsageError for a variable that no flag has the name of, since it would do nothing, and for a value that is
    none.
    """
    found = {variable: text for variable, text in os.environ.items() if variable.startswith(PREFIX) and text}
    options = {variable: _option_of(variable) for variable in found}
    return {name: _value_of(variable, KINDS[name], found[variable]) for variable, name in options.items()}


def _option_of(variable: str) -> str:
    name = variable.removeprefix(PREFIX).lower()
    if name not in KINDS:
        nearest = difflib.get_close_matches(name, KINDS, n=1)
        expected = PREFIX + nearest[0].upper() if nearest else f"{PREFIX} and the name of a flag of `firstseen serve`"
        raise UsageError(f"{variable} is set, and no flag has its name; expected {expected}: rename it, or unset it")
    return name


def _value_of(variable: str, kind: Any, text: str) -> Any:
    if kind == tuple[str, ...]:
        return tuple(filter(None, map(str.strip, text.split(","))))
    if variable.endswith("_BYTES"):
        return parse_bytes(variable, text)
    if kind not in WORDS:
        return text
    try:
        return TypeAdapter(kind).validate_python(text)
    except ValidationError as error:
        raise UsageError(f"{variable} is {text!r}; expected {WORDS[kind]}") from error
