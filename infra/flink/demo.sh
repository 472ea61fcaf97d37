#!/usr/bin/env bash
# Goes the whole way once on a Flink cluster of this machine: sets it up, brings it up, encodes and indexes the demo's
# archive on it, and looks photos up. The cluster is down again at the end, whatever fails.
#   infra/flink/demo.sh             `make flink-demo` does; everything is written to demo-flink/
# By environment: what setup.sh and cluster.sh take; PYTHON is that of the environment that firstseen is installed in.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The job server is looked for in .flink of the folder that firstseen is started in.
cd "$here/../.."
export PYTHON=${PYTHON:-$PWD/.venv/bin/python}

"$here/setup.sh" >&2
trap '"$here/cluster.sh" down' EXIT
"$here/cluster.sh" up >&2
"$PYTHON" -m firstseen demo --directory demo-flink --flink-master "127.0.0.1:${FLINK_REST_PORT:-8081}"
