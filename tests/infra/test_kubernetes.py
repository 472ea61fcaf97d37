"""The manifests: firstseen takes the command, they fit each other, and the pod can do nothing but answer."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.command_line import parse
from tests.infra.serve_files import FOLDER, PROBES, USER, read_yaml

MANIFESTS = FOLDER / "kubernetes"
KINDS = {
    manifest["kind"]: manifest
    for manifest in map(read_yaml, sorted(MANIFESTS.glob("*.yaml")))
    if manifest["kind"] != "Kustomization"
}
DEPLOYMENT = KINDS["Deployment"]["spec"]
POD = DEPLOYMENT["template"]["spec"]
(CONTAINER,) = POD["containers"]
OPTIONS = parse(["firstseen", *CONTAINER["args"]])[1]


def longest(probe: dict[str, Any]) -> int:
    """Returns after how many seconds a probe gives up."""
    return probe["periodSeconds"] * probe["failureThreshold"]


def test_firstseen_takes_the_command():
    """The image's entry point is the program; what the flags name is mounted, to be read alone."""
    assert "command" not in CONTAINER
    assert parse(["firstseen", *CONTAINER["args"]])[0] == "serve"
    mounts = {mount["mountPath"]: mount for mount in CONTAINER["volumeMounts"]}
    for place in (OPTIONS["store"], str(OPTIONS["keys"].parent)):
        assert mounts[place]["readOnly"] is True
    assert {mount["name"] for mount in mounts.values()} == {volume["name"] for volume in POD["volumes"]}
    assert [place for place, mount in mounts.items() if not mount.get("readOnly")] == ["/tmp"]  # noqa: S108


def test_kustomize_takes_the_folder():
    """Every manifest is listed, and kubectl puts them together."""
    listed = read_yaml(MANIFESTS / "kustomization.yaml")["resources"]
    assert {*listed, "kustomization.yaml"} == {path.name for path in MANIFESTS.iterdir()}
    made = put_together(MANIFESTS)
    assert {one["kind"] for one in made} == set(KINDS)
    assert {one["metadata"]["namespace"] for one in made} == {"firstseen"}
    (deployment,) = [one for one in made if one["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("registry.example.org/")


def put_together(folder: Path) -> list[dict[str, Any]]:
    """Returns the manifests of a folder as they are applied."""
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl: see its own installer")
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_a_store_in_a_bucket_takes_no_volume():
    """The other folder changes the store and what goes with it, and nothing else."""
    made = {one["kind"]: one for one in put_together(FOLDER / "kubernetes_bucket")}
    assert set(made) == set(KINDS)
    pod = made["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    options = parse(["firstseen", *container["args"]])[1]
    assert options == {**OPTIONS, "store": "s3://bucket/store"}
    assert [volume["name"] for volume in pod["volumes"]] == ["keys", "tmp"]
    assert [mount["name"] for mount in container["volumeMounts"]] == ["keys", "tmp"]
    assert container["envFrom"] == [{"secretRef": {"name": "firstseen-bucket"}}]
    (rule,) = made["NetworkPolicy"]["spec"]["egress"]
    assert {port["port"] for port in rule["ports"]} == {53, 443}
    assert pod["securityContext"] == POD["securityContext"]


def test_probes_ask_for_what_there_is():
    """On the port of the command, and each waits long enough for what it waits for."""
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == OPTIONS["port"]
    probes = {name: CONTAINER[f"{name}Probe"] for name in ("startup", "readiness", "liveness")}
    paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
    assert paths == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/livez"}
    assert set(paths.values()) == set(PROBES)
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {port["name"]}
    # A large store is read for the first time, and nobody kills who does.
    assert longest(probes["startup"]) >= 1_800
    assert longest(probes["startup"]) < DEPLOYMENT["progressDeadlineSeconds"]
    assert longest(probes["liveness"]) >= 60


def test_the_end_leaves_time_for_what_is_being_answered():
    """First nobody is sent there any more, then the drain, and only then it is killed."""
    program, pause = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    # Until then it is taken out of the service by its readiness at the latest.
    assert int(pause) >= longest(CONTAINER["readinessProbe"])
    drain = OPTIONS["drain_notice_seconds"] + OPTIONS["drain_seconds"]
    assert POD["terminationGracePeriodSeconds"] >= int(pause) + drain + 10


def test_it_has_no_rights():
    """The restricted Pod Security Standard, and a root that is read-only."""
    pod, container = POD["securityContext"], CONTAINER["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"], pod["fsGroup"]) == (True, USER, USER)
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["automountServiceAccountToken"] is False
    assert {"hostNetwork", "hostPID", "hostIPC"}.isdisjoint(POD)


def test_keys_come_from_a_secret():
    """None is written here."""
    secrets = [volume["secret"]["secretName"] for volume in POD["volumes"] if "secret" in volume]
    assert secrets == ["firstseen-keys"]
    assert "Secret" not in KINDS


def test_everything_means_the_same_pods():
    """The service, the budget and the policy select what the deployment labels."""
    labels = DEPLOYMENT["template"]["metadata"]["labels"]
    selectors = [
        DEPLOYMENT["selector"]["matchLabels"],
        KINDS["Service"]["spec"]["selector"],
        KINDS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        KINDS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        *(one["labelSelector"]["matchLabels"] for one in POD["topologySpreadConstraints"]),
    ]
    assert all(selector == labels for selector in selectors)
    (port,) = KINDS["Service"]["spec"]["ports"]
    (ingress,) = KINDS["NetworkPolicy"]["spec"]["ingress"]
    assert port["targetPort"] == CONTAINER["ports"][0]["name"] == ingress["ports"][0]["port"]


def test_a_drained_machine_leaves_one_pod_answering():
    """The budget asks for fewer pods than there are, or no machine could ever be drained."""
    assert KINDS["PodDisruptionBudget"]["spec"]["minAvailable"] < DEPLOYMENT["replicas"]
    assert DEPLOYMENT["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_it_asks_nobody():
    """A policy for both directions, none of which is open to all."""
    policy = KINDS["NetworkPolicy"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert policy["egress"] == []
    assert all(policy["ingress"][0]["from"])
