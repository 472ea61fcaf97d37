"""The Terraform file of the Cloud Run job and of the Cloud Scheduler job that starts it: read, and not applied."""

import re

from tests.conftest import REPOSITORY
from tests.infra.command_line import parse
from tests.infra.terraform import read_terraform, references

FOLDER = REPOSITORY / "infra" / "schedule" / "cloud_run"


def test_every_reference_leads_somewhere():
    """Variables that are declared, and resources of the file; each variable is used."""
    found = read_terraform(FOLDER)
    named = references(found)
    assert {name for name in named if name.startswith("var.")} == {f"var.{name}" for name in found["variable"]}
    for name in named:
        kind, _, resource = name.partition(".")
        assert kind == "var" or resource in found["resource"][kind]


def test_firstseen_takes_the_arguments_of_the_container():
    """In the place of the image's own entry point; the archive and the store are variables."""
    job = read_terraform(FOLDER)["resource"]["google_cloud_run_v2_job"]["reindex"]
    (container,) = job["template"]["template"]["containers"]
    verb, options = parse([*container["command"], *container["args"]])
    assert (verb, options["archive"], options["store"]) == ("reindex", "${var.archive}", "${var.store}")
    assert {"name": "FIRSTSEEN_LOG_FORMAT", "value": "json"} in container["env"]


def test_the_scheduler_starts_the_job_every_night():
    """It calls the job's own address, as an account that may invoke it."""
    resources = read_terraform(FOLDER)["resource"]
    nightly = resources["google_cloud_scheduler_job"]["nightly"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", nightly["schedule"])
    assert nightly["http_target"]["uri"].endswith("/${google_cloud_run_v2_job.reindex.id}:run")
    account = nightly["http_target"]["oauth_token"]["service_account_email"]
    invoker = resources["google_cloud_run_v2_job_iam_member"]["scheduler"]
    assert invoker["role"] == "roles/run.invoker"
    assert invoker["member"].replace(".member", ".email") == account
