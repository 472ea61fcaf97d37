"""The Terraform file of the Cloud Run job and of the Cloud Scheduler job that starts it: read, and not applied."""

import json
import re
from typing import Any

from tests.conftest import REPOSITORY
from tests.infra.command_line import parse

FOLDER = REPOSITORY / "infra" / "schedule" / "cloud_run"


def read_terraform() -> dict[str, Any]:
    """Returns the file; a name that stands twice in one block would be lost, and fails."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)

    return json.loads((FOLDER / "main.tf.json").read_text(), object_pairs_hook=once)


def texts(block: Any) -> list[str]:
    """Returns every text in a block."""
    if isinstance(block, dict):
        return [text for value in block.values() for text in texts(value)]
    return [text for value in block for text in texts(value)] if isinstance(block, list) else [str(block)]


def test_every_reference_leads_somewhere():
    """Variables that are declared, and resources of the file; each variable is used."""
    found = read_terraform()
    references = {name for text in texts(found) for name in re.findall(r"\$\{([\w.]+)\}", text)}
    assert {name for name in references if name.startswith("var.")} == {f"var.{name}" for name in found["variable"]}
    for name in references:
        if not name.startswith("var."):
            kind, resource, _ = name.split(".")
            assert resource in found["resource"][kind]


def test_firstseen_takes_the_arguments_of_the_container():
    """The image's entry point is the program; the archive and the store are variables."""
    job = read_terraform()["resource"]["google_cloud_run_v2_job"]["reindex"]
    (container,) = job["template"]["template"]["containers"]
    verb, options = parse(["firstseen", *container["args"]])
    assert (verb, options["archive"], options["store"]) == ("reindex", "${var.archive}", "${var.store}")
    assert {"name": "FIRSTSEEN_LOG_FORMAT", "value": "json"} in container["env"]


def test_the_scheduler_starts_the_job_every_night():
    """It calls the job's own address, as an account that may invoke it."""
    resources = read_terraform()["resource"]
    nightly = resources["google_cloud_scheduler_job"]["nightly"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", nightly["schedule"])
    assert nightly["http_target"]["uri"].endswith("/${google_cloud_run_v2_job.reindex.id}:run")
    account = nightly["http_target"]["oauth_token"]["service_account_email"]
    invoker = resources["google_cloud_run_v2_job_iam_member"]["scheduler"]
    assert invoker["role"] == "roles/run.invoker"
    assert invoker["member"].replace(".member", ".email") == account
