"""The page about services: its commands, its files, its numbers and its alerts are those of the project."""

import re

from serving.http.options import ServeOptions
from tests.infra.command_line import parse
from tests.infra.serve_files import FOLDER, read_yaml

PAGE = (FOLDER / "README.md").read_text()


def test_links_lead_somewhere():
    """Below infra/serve, and elsewhere in the repository."""
    links = re.findall(r"\]\(([^)#]+)", PAGE)
    assert links
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_firstseen_takes_the_commands():
    """Those that begin with the program, and those of the image, whose entry point it is."""
    lines = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    commands = [re.sub(r"^.*?firstseen/serve:cpu ", "firstseen ", line) for line in lines if "docker run" in line]
    commands += [line.partition(" ")[2] for line in lines if " firstseen lookup" in line]
    assert [parse(command)[0] for command in commands] == ["keys", "keys", "lookup"]


def test_every_alert_says_what_to_do():
    """Each has a row, and no row is about one that there is not."""
    (group,) = read_yaml(FOLDER / "prometheus" / "alerts.yaml")["groups"]
    rows = re.findall(r"^\| (Firstseen[^|]*) \|", PAGE, re.MULTILINE)
    named = [name for row in rows for name in row.split(", ")]
    assert sorted(named) == sorted(rule["alert"] for rule in group["rules"])


def test_a_proxy_lets_the_largest_body_pass():
    """As large as the service takes one."""
    megabytes = ServeOptions().max_body_bytes >> 20
    assert f"client_max_body_size {megabytes}m" in PAGE
    assert f"proxy-body-size: {megabytes}m" in PAGE
