"""The page about services: its commands, its files, its numbers and its alerts are those of the project."""

import re

import yaml

from serving.http.options import ServeOptions
from tests.conftest import REPOSITORY
from tests.infra.command_line import parse
from tests.infra.serve_files import FOLDER, read_yaml
from tests.infra.units import read_unit

PAGE = (FOLDER / "README.md").read_text()


def test_links_lead_somewhere():
    """Below infra/serve, and elsewhere in the repository."""
    links = re.findall(r"\]\(([^)#]+)", PAGE)
    assert links
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_firstseen_takes_the_commands():
    """Those that begin with the program, as whatever user, and those of the image, whose entry point it is."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    named = re.findall(
        r"(?:^|[ /])firstseen(?:/serve:cpu)? ((?:keys|status|lookup) .*?)(?: +#.*)?$", blocks, re.MULTILINE
    )
    verbs = [parse(f"firstseen {words}")[0] for words in named]
    assert verbs == ["keys", "status", "lookup", "keys", "lookup", "keys", "lookup", "keys"]


def test_files_that_are_copied_are_there():
    """Below the root of the repository, where the commands are typed."""
    named = re.findall(r"(?<=[ =])infra/\S+", "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)))
    assert len(named) >= 6
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_the_store_of_a_cluster_is_the_one_that_it_mounts():
    """The example of a claim has the name that the pods ask for, and is bound to its volume."""
    (text,) = re.findall(r"<<'END'\n(.*?)END\n", PAGE, re.DOTALL)
    volume, claim = yaml.safe_load_all(text)
    pod = read_yaml(FOLDER / "kubernetes" / "deployment.yaml")["spec"]["template"]["spec"]
    (mounted,) = [one["persistentVolumeClaim"] for one in pod["volumes"] if "persistentVolumeClaim" in one]
    assert mounted["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    assert claim["spec"]["accessModes"] == volume["spec"]["accessModes"] == ["ReadOnlyMany"]


def test_the_memory_is_that_of_the_files():
    """The limit of every way to run it, and what the manifest asks for."""
    resources = read_yaml(FOLDER / "kubernetes" / "deployment.yaml")["spec"]["template"]["spec"]["containers"][0][
        "resources"
    ]
    asked, most = resources["requests"]["memory"], resources["limits"]["memory"]
    assert f"{asked.removesuffix('Gi')} GiB is what such a service holds" in PAGE
    assert f"and {most.removesuffix('Gi')} GiB leaves room for a second snapshot" in PAGE
    assert read_yaml(FOLDER / "compose.yaml")["services"]["firstseen"]["mem_limit"] == most.removesuffix("i").lower()
    assert read_unit(FOLDER / "systemd" / "firstseen-serve.service")["MemoryMax"] == [most.removesuffix("i")]


def test_every_alert_says_what_to_do():
    """Each has a row, and no row is about one that there is not."""
    (group,) = read_yaml(FOLDER / "prometheus" / "alerts.yaml")["groups"]
    rows = re.findall(r"^\| (Firstseen[^|]*) \|", PAGE, re.MULTILINE)
    named = [name for row in rows for name in row.split(", ")]
    assert sorted(named) == sorted(rule["alert"] for rule in group["rules"])


def test_a_proxy_lets_the_largest_body_pass():
    """As large as the service takes one, and as the example says it."""
    megabytes = ServeOptions().max_body_bytes >> 20
    assert f"bodies of {megabytes} MB pass" in PAGE
    proxy = (FOLDER / "nginx" / "firstseen.conf").read_text()
    told = re.findall(r"`((?:client|proxy)_\w+ \w+)`", PAGE)
    assert f"client_max_body_size {megabytes}m" in told
    assert [one for one in told if f"{one};" not in proxy] == []
