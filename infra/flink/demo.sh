#!/usr/bin/env bash
# Goes the whole way once on a Flink cluster of this machine: sets it up, brings it up, encodes and indexes the demo's
# archive on it, and looks photos up. The cluster is down again at the end, whatever fails, unless it was up before.
#   infra/flink/demo.sh             `make flink-demo` does; everything is written to demo-flink/
# By environment: what setup.sh and cluster.sh take; PYTHON is that of the environment that firstseen is installed in.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
# firstseen looks for the job server in FLINK_WORK, too.
export PYTHON=${PYTHON:-$repository/.venv/bin/python} FLINK_WORK=${FLINK_WORK:-$repository/.flink}
export FLINK_RUN=${FLINK_RUN:-$FLINK_WORK/run}
# They are of the folder that this is called in.
for name in PYTHON FLINK_WORK FLINK_RUN; do
  [[ ${!name} == /* ]] || printf -v "$name" '%s' "$PWD/${!name}"
done
cd "$repository"

"$here/setup.sh" >&2
# One that was up before stays up, also if a part of it had died.
there=0
"$here/cluster.sh" status >/dev/null || there=$?
[ "$there" != 3 ] || trap '"$here/cluster.sh" down' EXIT
"$here/cluster.sh" up >&2
"$PYTHON" -m firstseen demo --directory demo-flink --flink-master "127.0.0.1:${FLINK_REST_PORT:-8081}"
echo "with your own photos: infra/flink/cluster.sh up, and these commands; on a cluster of yours: docs/flink.md" >&2
