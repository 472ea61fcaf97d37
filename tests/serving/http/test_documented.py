"""docs/serving.md: its flags, defaults, commands and reasons are those of the service."""

import re
from dataclasses import fields
from typing import Any

from foundation.memory import parse_bytes
from serving.http.options import ServeOptions
from serving.live.options import LiveOptions
from tests.conftest import REPOSITORY
from tests.infra.command_line import parse

PAGE = (REPOSITORY / "docs" / "serving.md").read_text()


def rows(first: str) -> list[list[str]]:
    """Returns the cells of the table whose first header is this."""
    (table,) = re.findall(rf"^\| {first} \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]


def test_every_flag_is_told_with_its_default():
    """And none that there is not: what is written is what an operator counts on."""
    told = {
        name: default
        for flags, default, _ in rows("flag")
        for name, default in zip(re.findall(r"--([a-z-]+)", flags), default.split(", "), strict=True)
    }
    defaults = {one.name.replace("_", "-"): one.default for kind in (ServeOptions, LiveOptions) for one in fields(kind)}
    assert told.pop("store") == ""
    assert {name: meant(default, defaults[name]) for name, default in told.items()} == defaults


def meant(text: str, default: Any) -> Any:
    """Returns the value that a cell names, of the kind of the default."""
    if text in ("none", "off"):
        return None if default else default
    if text.endswith("MiB"):
        return parse_bytes("cell", text.replace(" ", ""))
    if isinstance(default, int | float):
        return type(default)(text.replace(" million", "000000"))
    return text


def test_every_reason_is_told():
    """A program that asks looks up there what it was refused for."""
    sources = [path.read_text() for path in (REPOSITORY / "serving" / "http").glob("*.py")]
    raised = {
        (status or "503", reason)
        for source in sources
        for status, reason in re.findall(r"(?:\bProblem\(\s*(\d+),|\bbusy\()\s*\"(\w+)\"", source)
    }
    told = {(status, reason) for status, reasons, _ in rows("status") for reason in re.findall(r"`(\w+)`", reasons)}
    assert len(raised) > 20
    assert raised - told == set()


def test_firstseen_takes_the_commands():
    """Each as it stands there."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    commands = re.findall(r"^(?:\w+=\S+ )?(firstseen .*?)(?: +#.*)?$", blocks, re.MULTILINE)
    assert {parse(command)[0] for command in commands} == {"serve", "keys", "lookup"}
