"""Names the runner that every machine has: whoever plans a job need not import Beam, which takes seconds."""

LOCAL = "local"
FLINK = "flink"
DATAFLOW = "dataflow"


def check_runner(runner: str, *, workers: int, beam_flags: list[str]) -> None:
    """Raises UsageError on a runner or a flag of Beam that cannot be; the local one without flags always can."""
    if runner != LOCAL or beam_flags:
        from pipelines.runners.run import create_pipeline

        create_pipeline(runner, workers=workers, beam_flags=beam_flags)
