"""Re-indexes archives of photos every night: an Airflow DAG (Airflow 3) for the `dags` folder.

Airflow runs the command line, and imports nothing of firstseen: both have environments of their own.
"""

import shlex
from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

FIRSTSEEN = "/opt/firstseen/bin/firstseen"
STORE = "s3://photo-desk/store"
ARCHIVES = {"news": "s3://photo-desk/news", "sport": "s3://photo-desk/sport"}
# A defect, a wrong option, too many rejects, a missing archive, a damaged artifact: trying again changes nothing. What
# is left is a lost race (6) and a full disk or a busy store (75).
FINAL_EXIT_CODES = [1, 2, 3, 4, 5]


class FirstseenOperator(BashOperator):
    """Runs a command of firstseen, and tries again only where its exit code says that this may help."""

    def __init__(self, *, arguments: list[str], **options):
        command = shlex.join([FIRSTSEEN, *arguments])
        super().__init__(bash_command=command, skip_on_exit_code=FINAL_EXIT_CODES, **options)

    def execute(self, context):
        """Runs the command; one that ends with a final exit code fails at once, without its retries."""
        try:
            return super().execute(context)
        # BashOperator knows exit codes that skip a task, and none that fail it for good.
        except AirflowSkipException as error:
            raise AirflowFailException(f"no retry changes the exit code of {self.bash_command}") from error


with DAG(
    "firstseen_reindex",
    description=__doc__,
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,  # a re-index takes up whatever nights were missed
    # Two of one store at once are safe, but the one that publishes last has to begin again.
    max_active_runs=1,
    max_active_tasks=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=20),
        "env": {"FIRSTSEEN_LOG_FORMAT": "json"},
        "append_env": True,
    },
) as dag:
    # They do not depend on each other: an archive that fails tonight must not keep the others from their turn.
    for name, archive in ARCHIVES.items():
        FirstseenOperator(task_id=f"reindex_{name}", arguments=["reindex", archive, "--store", STORE])
