"""The launch script and the parameters of the template: what they say is what firstseen takes."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from firstseen.commands.template import command_line
from infra.dataflow import metadata
from tests.conftest import REPOSITORY
from tests.infra.command_line import parse
from tests.infra.terraform import read_terraform

SCRIPT = REPOSITORY / "infra" / "dataflow" / "launch.sh"
IMAGE = f"eu.example/worker@sha256:{'0' * 64}"
NEEDED = ["--project", "news", "--region", "europe-west1", "--bucket", "news-store", "--image", IMAGE]


def launch(*words: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess:
    """Runs the script."""
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False, env={"PATH": path})


def test_the_metadata_are_those_of_the_options():
    """A new option, or another help text, is written down by `python -m infra.dataflow.metadata`."""
    assert metadata.METADATA.read_text(encoding="utf-8") == metadata.text()


def test_what_the_script_shows_is_a_command_of_firstseen():
    """The parameters arrive whole, commas, semicolons and spaces included."""
    given = {"verb": "encode", "archive": "gs://news-photos/a b", "store": "gs://news-store/s", "include": "*.jpg;a,b"}
    done = launch("--dry-run", *NEEDED, "--", *(f"{name}={value}" for name, value in given.items()))
    words = shlex.split(done.stdout)
    assert words[:4] == ["gcloud", "dataflow", "flex-template", "run"]
    shown = [words[at + 1] for at, word in enumerate(words) if word == "--parameters"]
    # gcloud takes a value apart at its commas unless it is told of another character.
    assert all(one.startswith("^~^") for one in shown)
    parameters = dict(one.removeprefix("^~^").split("=", 1) for one in shown)
    assert parameters.pop("sdk_container_image") == IMAGE
    assert parameters == given
    _, options = parse(["firstseen", *command_line(parameters)])
    assert (options["archive"], options["include"]) == (given["archive"], ["*.jpg", "a,b"])


def test_the_script_reads_the_template_where_terraform_writes_it():
    """One name in both."""
    template = read_terraform(SCRIPT.parent / "terraform")["resource"]["google_storage_bucket_object"]["template"]
    words = shlex.split(launch("--dry-run", *NEEDED, "--", "verb=index").stdout)
    assert words[words.index("--template-file-gcs-location") + 1] == f"gs://news-store/{template['name']}"


def test_the_script_runs_what_it_shows(tmp_path: Path):
    """Without --dry-run the words that it shows are started, and its exit code is theirs."""
    gcloud = tmp_path / "gcloud"
    gcloud.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "${0%/*}/words"\nexit 3\n')
    gcloud.chmod(0o755)
    done = launch(*NEEDED, "--service-account", "w@x", "--", "verb=index", path=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 3
    assert (tmp_path / "words").read_text().splitlines() == shlex.split(done.stdout)[1:]
    assert "w@x" in shlex.split(done.stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected --project, --region, --bucket and --image"),
        ([*NEEDED[:-1], "worker:latest", "--", "verb=index"], "expected IMAGE@sha256:"),
        ([*NEEDED], "received no parameters"),
        ([*NEEDED, "--", "verb"], "received verb; expected name=value"),
        ([*NEEDED, "--region"], "--region has no value"),
        ([*NEEDED, "--colour", "red", "--", "verb=index"], "received --colour"),
    ],
)
def test_what_is_missing_is_named(words: list[str], said: str):
    """One line, exit code 2, and nothing is started."""
    done = launch(*words, path="/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_parameters_have_names_and_regexes_that_dataflow_takes():
    """Names without dashes, as flags of Python have them, and regular expressions that are some."""
    parameters = json.loads(metadata.METADATA.read_text(encoding="utf-8"))["parameters"]
    names = [one["name"] for one in parameters]
    assert len(names) == len(set(names))
    for one in parameters:
        assert re.fullmatch(r"[a-z_]+", one["name"])
        assert one["helpText"].strip()
        assert all(re.compile(pattern) for pattern in one.get("regexes", []))
