"""Completes the flags of a job on a Flink cluster: asks the cluster what it is, and names what its workers start.

All that a user has to say is where Flink's REST API is, `--flink_master=HOST:PORT`; what they say beside that stands.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from apache_beam.options.pipeline_options import PipelineOptions

from foundation.errors import FirstseenError, TemporaryError, UsageError

ASK_SECONDS = 10
# From this status of HTTP on, it is the server that has a problem.
SERVER_ERROR = 500
# What infra/flink/setup.sh makes, in the folder that firstseen is started in, or in that of FLINK_WORK.
JOB_SERVER = Path(".flink", "beam-runners-flink-1.19-job-server-2.62.0.jar")
WORK = "FLINK_WORK"
WORKER = "firstseen-worker"
RUNNER = "pipelines.runners.flink_job.FlinkJobRunner"
# A worker that is kept for the next stage of its job must be forgotten before a restart: Flink would use one again that
# has died, at each of the restarts, and the job would fail for good.
KEEP_WORKER_MS = 2_000
KEPT_OF_RESTART_DELAY = 1 / 3
# Flink's own keys and its default, by the kind of restart.
RESTART_DELAYS = {
    "fixed-delay": "restart-strategy.fixed-delay.delay",
    "failure-rate": "restart-strategy.failure-rate.delay",
    "exponential-delay": "restart-strategy.exponential-delay.initial-backoff",
}
DEFAULT_DELAY = "1 s"
NO_RESTARTS = ("none", "off", "disable")
UNITS_MS = {"ms": 1, "s": 1_000, "min": 60_000}
# A job server lives as long as its job: to compile for speed, or to have many threads collect its garbage, costs more.
JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")


@dataclass(frozen=True)
class Cluster:
    """What a job manager says of its cluster; `config` is Flink's configuration, as far as it was set."""

    version: str
    slots: int
    free_slots: int
    config: dict[str, str]


def complete(beam_flags: list[str]) -> tuple[str, list[str]]:
    """Returns the name of Beam's runner, and the flags with those of a Flink cluster that the user did not give.

    Raises UsageError if the cluster, the job server or Java is missing or does not fit, and TemporaryError if the
    cluster does not answer or has no slot free.
    """
    given = PipelineOptions(beam_flags).get_all_options(drop_default=True)
    if not (master := given.get("flink_master")):
        raise UsageError(
            "--runner flink was given no cluster; expected --flink-master HOST:PORT, where Flink's REST API answers"
        )
    cluster = ask(master)
    defaults = {
        "parallelism": choose_parallelism(cluster, master, given.get("parallelism")),
        "environment_cache_millis": choose_cache_ms(cluster.config),
    } | choose_environment(given)
    flags = [f"--{name}={value}" for name, value in defaults.items() if name not in given]
    if "job_endpoint" not in given:
        flags += start_job_server(cluster, master, given)
    return RUNNER, [*beam_flags, *flags]


def count_slots(beam_flags: list[str]) -> int:
    """Returns how many workers the flags ask for, or all that the cluster has, also those that are taken."""
    given = PipelineOptions(beam_flags).get_all_options(drop_default=True)
    return given.get("parallelism") or ask(given["flink_master"]).slots


def ask(master: str) -> Cluster:
    """Asks Flink's REST API; raises TemporaryError if nothing answers there, UsageError if something else does."""
    url = master if "://" in master else f"http://{master}"
    with requests.Session() as session:
        session.trust_env = False  # Flink's own client takes no proxy either.
        try:
            paths = ("overview", "jobmanager/config")
            said, config = (_answer(session, f"{url.rstrip('/')}/{path}") for path in paths)
            return Cluster(
                version=said["flink-version"],
                slots=said["slots-total"],
                free_slots=said["slots-available"],
                config={one["key"]: one["value"] for one in config},
            )
        except (KeyError, TypeError, ValueError):  # what is no URL is a ValueError, too
            problem: FirstseenError = UsageError(
                f"{master} is not Flink's REST API; expected HOST:PORT of a job manager"
            )
        except requests.RequestException:
            problem = TemporaryError(
                f"no job manager of Flink answers at {master}; expected its REST API there: is the cluster up?"
            )
    raise problem


def _answer(session: requests.Session, url: str) -> Any:
    answer = session.get(url, timeout=ASK_SECONDS)
    # A job manager that starts, or that waits to be elected, says so in JSON, too.
    if answer.status_code >= SERVER_ERROR:
        raise requests.ConnectionError(f"status {answer.status_code}")
    return answer.json()


def choose_parallelism(cluster: Cluster, master: str, wanted: int | None) -> int:
    """Returns how many workers to use: all that are free, if none are wanted."""
    if wanted is not None:
        # Flink waits for slots itself. A cluster on Kubernetes or YARN makes them when a job asks, and has none before.
        return wanted
    if not cluster.free_slots:
        raise TemporaryError(
            f"the cluster at {master} has no free slot of {cluster.slots}; expected one: wait for its other jobs, "
            "start more task managers, or say how many workers a cluster is to make that makes them on demand, by "
            "--parallelism=N after `--`"
        )
    return cluster.free_slots


def choose_cache_ms(config: dict[str, str]) -> int:
    """Returns how long a worker is kept after a stage: well under the delay of a restart, if the cluster restarts."""
    kind = config.get("restart-strategy.type", config.get("restart-strategy", "none"))
    if kind in NO_RESTARTS:
        return KEEP_WORKER_MS
    delay = config.get(RESTART_DELAYS.get(kind, ""), DEFAULT_DELAY)
    found = re.fullmatch(r"(\d+) *(ms|s|min)", delay)
    # Of a delay in other words nothing is known, and nothing is kept.
    delay_ms = int(found[1]) * UNITS_MS[found[2]] if found else 0
    return min(KEEP_WORKER_MS, int(delay_ms * KEPT_OF_RESTART_DELAY))


def choose_environment(given: dict[str, Any]) -> dict[str, str]:
    """Returns how task managers start workers: as a process, unless the user says otherwise."""
    if given.get("environment_type", "PROCESS") != "PROCESS" or "environment_options" in given:
        return {}
    return {"environment_type": "PROCESS", "environment_config": f'{{"command": "{WORKER}"}}'}


def start_job_server(cluster: Cluster, master: str, given: dict[str, Any]) -> list[str]:
    """Returns the flags by which Beam starts its job server; raises UsageError if it cannot be started."""
    launcher = given.get("job_server_java_launcher", "java")
    if not shutil.which(launcher) and "flink_submit_uber_jar" not in given:
        raise UsageError(
            f"{launcher} is not on PATH, and submits jobs to Flink; expected a Java of 11 or 17, or after `--` "
            "--flink_submit_uber_jar, which takes none"
        )
    jar = find_job_server(cluster, master, given)
    flags = [] if "flink_job_server_jar" in given or jar is None else [f"--flink_job_server_jar={jar}"]
    # Nothing of another language is expanded, and what is not started listens nowhere.
    flags += ["--expansion_port=-1"] if "expansion_port" not in given else []
    flags += [f"--job_server_jvm_property={one}" for one in JVM] if "job_server_jvm_properties" not in given else []
    return flags


def find_job_server(cluster: Cluster, master: str, given: dict[str, Any]) -> str | None:
    """Returns the jar of Beam's job server, or None if Beam is told by `--flink_version` to fetch its own."""
    jar = given.get("flink_job_server_jar")
    if jar is None and "flink_version" in given:
        return None
    made = Path(os.environ.get(WORK) or JOB_SERVER.parent, JOB_SERVER.name)
    if jar is None and not made.exists():
        raise UsageError(
            f"no job server of Beam for Flink {cluster.version}: {made} is not there; expected that (run "
            "infra/flink/setup.sh), or after `--` either --flink_job_server_jar=JAR or, for Beam to fetch its own, "
            f"--flink_version={short(cluster.version)}"
        )
    jar = jar or str(made.absolute())
    if "://" not in jar and not Path(jar).is_file():
        raise UsageError(f"--flink_job_server_jar={jar} is not there; expected the jar of Beam's Flink job server")
    # Both this project and Beam say in the name what version a jar is for.
    made_for = re.search(r"flink-(\d+\.\d+)-", Path(jar).name)
    if made_for and made_for[1] != short(cluster.version):
        raise UsageError(
            f"the cluster at {master} runs Flink {cluster.version}, but {Path(jar).name} is for {made_for[1]}; "
            "expected one for the cluster's, by --flink_job_server_jar=JAR after `--`"
        )
    return jar


def short(version: str) -> str:
    """Returns the first two parts of a version."""
    return ".".join(version.split(".")[:2])
