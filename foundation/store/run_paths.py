"""Names where the runs of a store lie."""

EMBEDDINGS = "embeddings"
RUN_DESCRIPTION = "run.json"


def run_directory(encoder_id: str, run_id: str) -> str:
    """Returns the path of a run in the store."""
    return f"{EMBEDDINGS}/{encoder_id}/{run_id}"


def run_path(encoder_id: str, run_id: str) -> str:
    """Returns the path of a run's description in the store."""
    return f"{run_directory(encoder_id, run_id)}/{RUN_DESCRIPTION}"
