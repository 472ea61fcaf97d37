"""The Terraform file for Dataflow: read, checked by Terraform without Google's provider, and never applied."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from firstseen.commands.template import command_line
from tests.conftest import REPOSITORY
from tests.infra.command_line import parse
from tests.infra.terraform import needs_terraform, read_terraform, references, run_terraform, texts, without_provider

FOLDER = REPOSITORY / "infra" / "dataflow"
GIVEN = {
    "project": "news",
    "bucket": "news-store",
    "image": f"eu.example/worker@sha256:{'0' * 64}",
    "archive_bucket": "news-photos",
    "archive": "gs://news-photos/all",
    "store": "gs://news-store/store",
}


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """The file."""
    return read_terraform(FOLDER / "terraform")


def test_every_reference_leads_somewhere(found: dict[str, Any]):
    """Variables, locals and resources of the file; each variable is used."""
    named = references(found)
    assert {name for name in named if name.startswith("var.")} == {f"var.{name}" for name in found["variable"]}
    for name in named:
        kind, _, one = name.partition(".")
        assert one in {"var": found["variable"], "local": found["locals"]}.get(kind, found["resource"].get(kind, {}))


@needs_terraform
def test_terraform_evaluates_the_file(found: dict[str, Any], tmp_path: Path):
    """Every expression is one, and the template that it would write names the image and has the parameters."""
    folder = tmp_path / "terraform"
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps(without_provider(found)))
    shutil.copy(FOLDER / "metadata.json", tmp_path)
    run_terraform(folder, "init", "-backend=false")
    variables = [f"-var={name}={value}" for name, value in GIVEN.items()]
    run_terraform(folder, "plan", "-input=false", "-out=plan", *variables)
    planned = json.loads(run_terraform(folder, "show", "-json", "plan"))["planned_values"]["root_module"]["resources"]
    inputs = {one["address"]: one["values"].get("input") for one in planned}
    template = json.loads(inputs["terraform_data.google_storage_bucket_object-template"]["content"])
    assert template["image"] == GIVEN["image"]
    assert template["metadata"] == json.loads((FOLDER / "metadata.json").read_text())
    assert len(inputs) == 22


@needs_terraform
def test_terraform_refuses_an_image_by_tag(found: dict[str, Any], tmp_path: Path):
    """A tag may be moved while jobs run."""
    (tmp_path / "main.tf.json").write_text(json.dumps(without_provider(found)).replace("/../metadata.json", "/m.json"))
    shutil.copy(FOLDER / "metadata.json", tmp_path / "m.json")
    run_terraform(tmp_path, "init", "-backend=false")
    variables = [f"-var={name}={value}" for name, value in {**GIVEN, "image": "worker:latest"}.items()]
    with pytest.raises(AssertionError, match="a tag may be moved"):
        run_terraform(tmp_path, "plan", "-input=false", *variables)


def test_the_night_is_a_command_of_firstseen(found: dict[str, Any]):
    """The parameters are those of the template, each as its regex wants it, and make a command line."""
    parameters = {
        name: GIVEN[value[6:-1]] if "$" in value else value for name, value in found["locals"]["parameters"].items()
    }
    known = {one["name"]: one for one in json.loads((FOLDER / "metadata.json").read_text())["parameters"]}
    for name, value in {**parameters, "accelerator": "nvidia-l4"}.items():
        assert all(re.search(pattern, value) for pattern in known[name].get("regexes", [])), name
    required = {name for name, one in known.items() if not one.get("isOptional")}
    assert required <= set(parameters)
    del parameters["sdk_container_image"]
    verb, options = parse(["firstseen", *command_line(parameters)])
    assert (verb, options["archive"], options["store"]) == ("reindex", GIVEN["archive"], GIVEN["store"])


def test_the_scheduler_launches_the_template(found: dict[str, Any]):
    """At night, at Dataflow's address, as an account that may; the jobs run as another one."""
    nightly = found["resource"]["google_cloud_scheduler_job"]["nightly"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", found["variable"]["schedule"]["default"])
    assert nightly["http_target"]["uri"].endswith("/locations/${var.region}/flexTemplates:launch")
    assert nightly["http_target"]["body"] == "${base64encode(jsonencode(local.launch))}"
    assert nightly["http_target"]["oauth_token"]["service_account_email"] == "${google_service_account.scheduler.email}"
    environment = found["locals"]["launch"]["launchParameter"]["environment"]
    assert environment["serviceAccountEmail"] == "${google_service_account.worker.email}"


def test_rights_are_the_least(found: dict[str, Any]):
    """No owner, no editor, no administrator; photos are only read, and whoever launches reads the template alone."""
    roles = [text for text in texts(found["resource"]) for text in re.findall(r"roles/[\w.]+", text)]
    assert not [role for role in roles if re.search(r"(?i)owner|editor|admin", role)]
    members = found["resource"]["google_storage_bucket_iam_member"]
    assert [one["role"] for one in members.values() if one["bucket"] == "${var.archive_bucket}"] == [
        "roles/storage.objectViewer"
    ]
    launching = "${google_service_account.scheduler.member}"
    allowed = [one["condition"]["expression"] for one in members.values() if one["member"] == launching]
    assert allowed == [
        'resource.name.startsWith("projects/_/buckets/${google_storage_bucket.store.name}/objects/templates/")'
    ]


def test_every_api_that_a_resource_takes_is_enabled(found: dict[str, Any]):
    """A new project has next to none, and the first apply would end in the middle."""
    needed = found["resource"]["google_project_service"]["needed"]
    enabled = set(re.findall(r'"(\w+)"', needed["for_each"]))
    assert needed["service"] == "${each.key}.googleapis.com"
    by_resource = {
        "google_artifact_registry": "artifactregistry",
        "google_cloud_scheduler": "cloudscheduler",
        "google_project_iam": "cloudresourcemanager",
        "google_service_account": "iam",
    }
    for start, api in by_resource.items():
        assert any(kind.startswith(start) for kind in found["resource"])
        assert api in enabled
    assert {"compute", "dataflow"} <= enabled


@needs_terraform
def test_the_first_command_of_the_page_is_one(found: dict[str, Any], tmp_path: Path):
    """The repository alone, before there is an image: every variable has to be given, and be one that is taken."""
    page = (REPOSITORY / "docs" / "dataflow.md").read_text()
    command = re.search(r"^terraform apply -target.*$", page.replace("\\\n", " "), re.MULTILINE)
    words = shlex.split(command[0].replace("$(printf '0%.0s' {1..64})", "0" * 64))
    folder = tmp_path / "terraform"
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps(without_provider(found)))
    shutil.copy(FOLDER / "metadata.json", tmp_path)
    run_terraform(folder, "init", "-backend=false")
    address = words[3].replace("google_", "terraform_data.google_").replace(".images", "-images")
    said = run_terraform(folder, "plan", "-input=false", "-target", address, *words[4:])
    # The APIs come before it.
    assert "7 to add" in said
