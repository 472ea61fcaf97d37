"""Runs a worker process of the local runner, which ends when its launcher does: Beam's own would wait for ever."""

import sys

from apache_beam.runners.worker import sdk_worker_main

from pipelines.runners.parent import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    sdk_worker_main.main(sys.argv)
