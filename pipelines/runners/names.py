"""Names the runners, and checks one: whoever plans a job on the local one need not import Beam, which takes seconds."""

LOCAL = "local"
FLINK = "flink"
DATAFLOW = "dataflow"
# Workers that are reckoned with on a cluster that makes them as it goes, as Dataflow does, or does not say how many it
# has.
CLUSTER_WORKERS = 16


def check_runner(runner: str, *, workers: int, beam_flags: list[str]) -> int:
    """Returns how many workers there should be some work for; the local runner without flags needs no check.

    Raises UsageError on a runner or a flag of Beam that cannot be. Of a Flink cluster, slots that are taken count, too:
    by the time that the job begins, after a listing of hours, others may be free than now.
    """
    if runner == LOCAL and not beam_flags:
        return workers
    from pipelines.runners.run import create_pipeline, parallelism_of

    pipeline = create_pipeline(runner, workers=workers, beam_flags=beam_flags)
    if runner == FLINK:
        from pipelines.runners.flink import count_slots

        return count_slots(beam_flags)
    return workers if runner == LOCAL else parallelism_of(pipeline) or CLUSTER_WORKERS
