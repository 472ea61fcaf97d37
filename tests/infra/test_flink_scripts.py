"""The scripts that bring a Flink cluster up and down: safe to repeat, whatever state it is in."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.runners import flink
from tests.conftest import REPOSITORY
from tests.infra.flink_cluster import SCRIPTS, FlinkCluster, new_cluster, set_up


def running(cluster: FlinkCluster) -> str:
    """Returns the processes of the cluster, workers and whatever is in its sessions aside."""
    folder = re.escape(cluster.environment["FLINK_RUN"])
    return subprocess.run(
        ["pgrep", "-f", f"firstseen.run={folder} "], capture_output=True, text=True, check=False
    ).stdout


def test_up_and_down_are_safe_to_repeat(tmp_path: Path) -> None:
    """A second `up` changes nothing, one after a crash mends what is gone, and `down` leaves no process."""
    set_up()
    cluster = new_cluster(tmp_path / "run", task_managers=1)
    try:
        assert cluster.script("status").returncode == 3
        first = cluster.script("up")
        assert first.returncode == 0, first.stderr
        assert cluster.master in first.stdout
        before = cluster.pid("jobmanager"), cluster.pid("taskmanager-1")
        assert cluster.script("up").returncode == 0
        assert before == (cluster.pid("jobmanager"), cluster.pid("taskmanager-1"))

        moved = replace(cluster, environment=cluster.environment | {"FLINK_REST_PORT": "1"})
        refused = moved.script("up")
        assert refused.returncode == 1
        port = cluster.environment["FLINK_REST_PORT"]
        assert re.search(rf"is up on ports {port} and \d+, not 1 and \d+; expected the same FLINK_REST", refused.stderr)
        # The same folder by another name: relative to where the script is called.
        folder = os.path.relpath(tmp_path / "run")
        assert (
            replace(cluster, environment=cluster.environment | {"FLINK_RUN": folder}).script("status").returncode == 0
        )

        beside = replace(cluster, environment=cluster.environment | {"FLINK_RUN": str(tmp_path / "beside")})
        refused = beside.script("up")
        assert refused.returncode == 1
        assert re.search(r"another program listens on port \d+; expected .*FLINK_REST_PORT", refused.stderr)
        assert not running(beside)

        os.kill(before[1], signal.SIGKILL)
        status = cluster.script("status")
        assert (status.returncode, "taskmanager-1: gone" in status.stdout) == (1, True)
        assert cluster.script("up").returncode == 0
        assert cluster.pid("jobmanager") == before[0]
        assert cluster.script("status").returncode == 0
    finally:
        cluster.script("down")
    assert not running(cluster)
    assert cluster.script("status").returncode == 3
    assert cluster.script("down").returncode == 0


def test_a_process_of_another_program_is_not_ended(tmp_path: Path) -> None:
    """Numbers of processes come again after a restart of the machine: one that is not ours is left alone."""
    cluster = new_cluster(tmp_path)
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        (tmp_path / "jobmanager.pid").write_text(str(other.pid))
        assert cluster.script("status").returncode == 3
        assert cluster.script("down").returncode == 0
        assert other.poll() is None
        other.kill()


def fail(script: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Returns the exit code of a script that cannot do its work, and the one line that it says."""
    done = subprocess.run(
        ["/bin/bash", SCRIPTS / script, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr.count("\n") == 1
    return done.returncode, done.stderr


@pytest.fixture
def few_programs(tmp_path: Path) -> str:
    """A PATH with what the scripts take before they look for Java, Maven and Python."""
    (tmp_path / "bin").mkdir()
    for program in ("dirname", "flock", "mkdir", "realpath", "sha256sum"):
        (tmp_path / "bin" / program).symlink_to(f"/usr/bin/{program}")
    return str(tmp_path / "bin")


def test_what_a_cluster_lacks_is_named(tmp_path: Path, few_programs: str) -> None:
    """In one line, before anything is started."""
    environment = new_cluster(tmp_path).environment
    code, said = fail("cluster.sh", "up", **environment | {"FLINK_WORK": "/nowhere"})
    assert code == 1
    assert re.search(r"/nowhere/flink-1.19.3/.done is not there; expected it from .*setup.sh", said)
    code, said = fail("cluster.sh", "up", **environment | {"PATH": few_programs})
    assert code == 1
    assert "java is not on PATH; expected a Java" in said
    Path(few_programs, "realpath").unlink()
    code, said = fail("cluster.sh", "up", **environment | {"PATH": few_programs})
    assert code == 1
    assert "realpath is not on PATH; expected" in said


def test_setup_without_the_programs_it_takes_says_so(tmp_path: Path, few_programs: str) -> None:
    """By an exit code of its own, which is what a test may skip for."""
    code, said = fail("setup.sh", PATH=few_programs, FLINK_WORK=str(tmp_path / "work"), PYTHON="/nowhere/python")
    assert code == 69
    assert said.startswith("setup.sh: /nowhere/python has no pip; expected")


def test_what_has_another_digest_is_never_unpacked(tmp_path: Path) -> None:
    """pip runs the setup.py of an sdist before it hands it over: a tampered index must not come so far."""
    folder, ran = tmp_path / "apache-flink-libraries-1.19.3", tmp_path / "ran"
    folder.mkdir()
    (folder / "setup.py").write_text(f"open({str(ran)!r}, 'w')\n")
    with tarfile.open(tmp_path / f"{folder.name}.tar.gz", "w:gz") as sdist:
        sdist.add(folder, folder.name)
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_NO_BUILD_ISOLATION": "0"}
    done = subprocess.run(
        [SCRIPTS / "setup.sh"],
        env=os.environ | {"FLINK_WORK": str(tmp_path / "work"), "PYTHON": sys.executable} | index,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.match(r"setup.sh: apache-flink-libraries-1.19.3.tar.gz .* has another digest than 4a58", done.stderr)
    assert not ran.exists()


@pytest.mark.skipif(not shutil.which("make"), reason="no make on this machine")
@pytest.mark.parametrize(("venv", "folder"), [("/opt/firstseen", ""), ("env", f"{REPOSITORY}/")])
def test_the_demo_takes_the_environment_that_it_is_given(venv: str, folder: str) -> None:
    """Wherever that lies."""
    said = subprocess.run(
        ["make", "--dry-run", "flink-demo", f"VENV={venv}"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert f"PYTHON={folder}{venv}/bin/python infra/flink/demo.sh" in said.stdout


def test_scripts_and_the_runner_speak_of_one_job_server() -> None:
    """Its name holds the versions of Beam and Flink, and stands in both scripts, the build and the runner."""
    name = flink.JOB_SERVER.name
    build = (SCRIPTS / "jobserver" / "pom.xml").read_text()
    version, flink_version = re.search(r"<version>([\d.]+)<", build), re.search(r"<flink.version>([\d.]+)<", build)
    assert version
    assert flink_version
    assert name == f"beam-runners-flink-{flink.short(flink_version[1])}-job-server-{version[1]}.jar"
    for script in ("setup.sh", "cluster.sh"):
        text = (SCRIPTS / script).read_text()
        assert name in text
        assert re.search(rf"flink(-|_version=){re.escape(flink_version[1])}", text)


def test_nothing_is_listened_on_that_another_machine_reaches() -> None:
    """Every address of the configuration is the loopback one."""
    text = (SCRIPTS / "conf" / "config.yaml").read_text()
    addresses = re.findall(r"(?:address|host): ?([\w.]+)", text)
    assert len(addresses) == 6
    assert set(addresses) == {"127.0.0.1"}
    assert socket.gethostbyname("localhost") == "127.0.0.1"
