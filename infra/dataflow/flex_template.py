"""Starts a command of firstseen from a Flex Template; Dataflow's launcher runs this file with the parameters.

The image has it as /opt/firstseen/flex_template.py, named by FLEX_TEMPLATE_PYTHON_PY_FILE.
"""

import sys

from firstseen.commands.template import plan_launch
from foundation.errors import FirstseenError
from pipelines.runners.launched import launch
from pipelines.runners.names import DATAFLOW

if __name__ == "__main__":
    try:
        planned = plan_launch(sys.argv[1:])
        launch(planned.words, runner=DATAFLOW, beam_flags=planned.beam_flags)
    except FirstseenError as error:
        print(f"firstseen: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
