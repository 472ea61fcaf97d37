"""Names the runner that every machine has: whoever plans a job need not import Beam, which takes seconds."""

LOCAL = "local"
FLINK = "flink"
DATAFLOW = "dataflow"
# Workers that are reckoned with on a cluster, whose size nobody knows beforehand.
CLUSTER_WORKERS = 16


def expected_workers(runner: str, workers: int) -> int:
    """Returns how many workers there should be some work for; `workers` are the processes of the local runner."""
    return workers if runner == LOCAL else CLUSTER_WORKERS


def check_runner(runner: str, *, workers: int, beam_flags: list[str]) -> None:
    """Raises UsageError on a runner or a flag of Beam that cannot be; the local one without flags always can."""
    if runner != LOCAL or beam_flags:
        from pipelines.runners.run import create_pipeline

        create_pipeline(runner, workers=workers, beam_flags=beam_flags)
