"""Names the runners, and checks one: whoever plans a job on the local one need not import Beam, which takes seconds."""

LOCAL = "local"
FLINK = "flink"
DATAFLOW = "dataflow"
# Workers that are reckoned with on a cluster that does not say beforehand how many it has.
CLUSTER_WORKERS = 16


def expected_workers(runner: str, workers: int) -> int:
    """Returns how many workers there should be some work for; `workers` are the processes of the local runner."""
    return workers if runner == LOCAL else CLUSTER_WORKERS


def check_runner(runner: str, *, workers: int, beam_flags: list[str]) -> int:
    """Returns how many workers there should be some work for; the local runner without flags needs no check.

    Raises UsageError on a runner or a flag of Beam that cannot be. The job asks its cluster again when it begins: by
    then, after a listing of hours, other slots may be free.
    """
    if runner == LOCAL and not beam_flags:
        return workers
    from pipelines.runners.run import create_pipeline, parallelism_of

    pipeline = create_pipeline(runner, workers=workers, beam_flags=beam_flags)
    return workers if runner == LOCAL else parallelism_of(pipeline) or CLUSTER_WORKERS
