"""The compose file: firstseen takes its command, and the container can do nothing but answer."""

import re
from pathlib import Path

from serving.http.options import ServeOptions
from tests.conftest import REPOSITORY
from tests.infra.command_line import parse
from tests.infra.serve_files import FOLDER, USER, read_yaml

SERVICE = read_yaml(FOLDER / "compose.yaml")["services"]["firstseen"]


def seconds(text: str) -> int:
    """Returns a time of a compose file."""
    return int(re.fullmatch(r"(\d+)s", text)[1])


def test_firstseen_takes_the_command():
    """Every flag is one of the program, and the files that it names are mounted."""
    verb, options = parse(["firstseen", *SERVICE["command"]])
    assert verb == "serve"
    mounted = {volume["target"]: volume for volume in SERVICE["volumes"]}
    assert all(volume["read_only"] for volume in mounted.values())
    assert not any(volume["bind"]["create_host_path"] for volume in mounted.values())
    assert set(mounted) == {options["store"], str(Path(options["keys"]).parent)}


def test_this_machine_alone_reaches_it():
    """Its port is bound to 127.0.0.1; keys are asked for all the same."""
    port = ServeOptions().port
    assert SERVICE["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_it_has_no_rights():
    """Not root, no capability, nothing to write to but memory."""
    assert SERVICE["user"] == f"{USER}:{USER}"
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert [place.partition(":")[0] for place in SERVICE["tmpfs"]] == ["/tmp"]  # noqa: S108 (the image's own)
    assert {"privileged", "cap_add", "network_mode", "pid", "devices"}.isdisjoint(SERVICE)


def test_it_is_built_from_the_stage_that_serves():
    """By a path from the file itself."""
    build = SERVICE["build"]
    assert (FOLDER / build["context"]).resolve() == REPOSITORY
    assert f" AS {build['target']}\n" in (REPOSITORY / build["dockerfile"]).read_text()


def test_answers_are_finished_before_it_is_killed():
    """Docker waits longer than the drain."""
    options = ServeOptions()
    assert seconds(SERVICE["stop_grace_period"]) >= options.drain_notice_seconds + options.drain_seconds + 10
