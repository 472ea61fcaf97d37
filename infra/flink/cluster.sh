#!/usr/bin/env bash
# A Flink cluster on this machine: a job manager, and task managers that start `firstseen-worker` for each job.
#   cluster.sh up | down | status
#   cluster.sh start NAME | pid NAME      one of them, such as taskmanager-1
# By environment: FLINK_WORK, where setup.sh put everything (.flink of this checkout); FLINK_RUN, a folder for what is
# running ($FLINK_WORK/run; another cluster beside this one takes another folder and other ports); FLINK_REST_PORT
# (8081) and FLINK_RPC_PORT (6123); FLINK_TASK_MANAGERS (2) and FLINK_SLOTS of each (1); PYTHON, that of the
# environment that firstseen is installed in (.venv of this checkout).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
work=${FLINK_WORK:-$repository/.flink}
run=${FLINK_RUN:-$work/run}
rest_port=${FLINK_REST_PORT:-8081}
rpc_port=${FLINK_RPC_PORT:-6123}
task_managers=${FLINK_TASK_MANAGERS:-2}
slots=${FLINK_SLOTS:-1}
python=${PYTHON:-$repository/.venv/bin/python}

fail() {
  echo "cluster.sh: $*" >&2
  exit 1
}

command -v realpath >/dev/null || fail "realpath is not on PATH; expected that of GNU coreutils"
# A process is known by the name of the folder: one folder has one name.
work=$(realpath --canonicalize-missing "$work")
run=$(realpath --canonicalize-missing "$run")
# Not that of a link: the Python of an environment is one.
[[ $python == /* ]] || python=$PWD/$python
flink=$work/flink-1.19.3
job_server=$work/beam-runners-flink-1.19-job-server-2.62.0.jar

pid_of() {
  cat "$run/$1.pid" 2>/dev/null || true
}

# The command line of a process.
line_of() {
  local pid
  pid=$(pid_of "$1")
  # The whole line, whatever COLUMNS says.
  [ -z "$pid" ] || ps -ww -o args= -p "$pid" 2>/dev/null || true
}

# Whether a process of that name is there and ours: after a restart of the machine another one may have its number.
alive() {
  # No pipe to grep, which leaves at the first match.
  [[ $(line_of "$1") == *"-Dfirstseen.run=$run "* ]]
}

# The port that the job manager was started with.
port_of() { # port_of rest.port
  [[ ! $(line_of jobmanager) =~ \ "$1"=([0-9]+)\  ]] || echo "${BASH_REMATCH[1]}"
}

names() {
  local file
  for file in "$run"/*.pid; do
    [ ! -e "$file" ] || basename "$file" .pid
  done
}

answers() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

check() {
  local program needed
  for program in java setsid flock ps; do
    command -v "$program" >/dev/null || fail "$program is not on PATH; expected a Java of 11 or 17, util-linux and procps"
  done
  for needed in "$flink/.done" "$job_server"; do
    [ -f "$needed" ] || fail "$needed is not there; expected it from $here/setup.sh: run that first"
  done
  [ -x "$python" ] || fail "there is no $python; expected the Python that has firstseen, named by PYTHON"
  PATH=$(dirname "$python"):$PATH
  export PATH # Task managers hand it to their workers.
  command -v firstseen-worker >/dev/null || fail "firstseen-worker is not beside $python; expected firstseen there:" \
    "pip install it, or name another PYTHON"
}

java_process() { # java_process NAME MAIN_CLASS ARGUMENTS...
  local name=$1 main=$2 opened options=(-XX:+UseSerialGC -Xmx600m -XX:MaxDirectMemorySize=600m -XX:MaxMetaspaceSize=320m)
  shift 2
  # What Flink's own configuration opens of Java 11 and 17.
  for opened in lang net io nio lang.reflect text time util util.concurrent util.concurrent.atomic util.concurrent.locks; do
    options+=("--add-opens=java.base/java.$opened=ALL-UNNAMED")
  done
  options+=(--add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-exports=java.base/sun.net.util=ALL-UNNAMED
    --add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED --add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED)
  # A session of its own: Ctrl-C in this terminal ends no cluster, and its children can be ended with it.
  setsid java "${options[@]}" "-Dfirstseen.run=$run" "-Dlog4j.configurationFile=file:$here/conf/log4j.properties" \
    -cp "$(printf '%s:' "$flink"/*.jar)$job_server" "$main" --configDir "$here/conf" \
    -D "rest.port=$rest_port" -D "jobmanager.rpc.port=$rpc_port" -D "io.tmp.dirs=$run/tmp" "$@" \
    >"$run/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$run/$name.pid"
}

start() { # start NAME
  ! alive "$1" || return 0
  case $1 in
  jobmanager) java_process "$1" org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint ;;
  taskmanager-*)
    java_process "$1" org.apache.flink.runtime.taskexecutor.TaskManagerRunner \
      -D "taskmanager.resource-id=$1" -D "taskmanager.numberOfTaskSlots=$slots" -D "taskmanager.cpu.cores=$slots"
    ;;
  *) fail "$1 is no part of the cluster; expected jobmanager or taskmanager-NUMBER" ;;
  esac
}

# Waits until a command succeeds, while the process NAME is there.
await() { # await NAME WHAT COMMAND...
  local name=$1 what=$2 i
  shift 2
  for ((i = 0; i < 720; i++)); do
    ! "$@" || return 0
    # Not `alive`: a process that was started just now may not be Java yet.
    kill -0 "$(pid_of "$name")" 2>/dev/null || fail "$what: $name ended ($(grep -E 'ERROR|Exception|Error' "$run/$name.log" | tail -1 | cut -c1-200)); see $run/$name.log"
    sleep 0.25
  done
  fail "$what: not within three minutes; see $run/$name.log"
}

registered() {
  "$python" - "http://127.0.0.1:$rest_port/overview" "$task_managers" 2>/dev/null <<'PYTHON'
import json, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=5) as answer:
    sys.exit(json.load(answer)["taskmanagers"] < int(sys.argv[2]))
PYTHON
}

up() {
  local port n was_up=yes
  check
  mkdir -p "$run/tmp"
  alive jobmanager || was_up=''
  if [ -n "$was_up" ]; then
    [ "$(port_of rest.port) $(port_of jobmanager.rpc.port)" = "$rest_port $rpc_port" ] ||
      fail "the cluster of $run is up on ports $(port_of rest.port) and $(port_of jobmanager.rpc.port), not $rest_port" \
        "and $rpc_port; expected the same FLINK_REST_PORT and FLINK_RPC_PORT, \`$0 down\` first, or another FLINK_RUN"
  else
    for port in "$rest_port" "$rpc_port"; do
      ! answers "$port" || fail "another program listens on port $port; expected a free one: set FLINK_REST_PORT and FLINK_RPC_PORT"
    done
  fi
  # Whatever goes wrong from here on leaves nothing running, but for a cluster that was up before.
  [ -n "$was_up" ] || trap down EXIT
  start jobmanager
  await jobmanager "the job manager does not answer on port $rest_port" answers "$rest_port"
  for ((n = 1; n <= task_managers; n++)); do start "taskmanager-$n"; done
  await "taskmanager-$task_managers" "not all $task_managers task managers have registered" registered
  trap - EXIT
  echo "Flink is up: --runner flink --flink-master 127.0.0.1:$rest_port (task managers: $task_managers, slots of each: $slots)"
}

down() {
  local name i pids=()
  for name in $(names); do
    if alive "$name"; then
      pids+=("$(pid_of "$name")")
      kill -TERM "${pids[-1]}" 2>/dev/null || true
    fi
  done
  for ((i = 0; i < 40; i++)); do
    [ -n "$(members "${pids[@]}")" ] || break
    sleep 0.25
  done
  # Whoever has not left after 10 s, a Python worker included.
  members "${pids[@]}" | xargs --no-run-if-empty kill -KILL 2>/dev/null || true
  rm -rf "$run"/*.pid "$run/tmp"
}

# The processes of the sessions that have these numbers.
members() {
  [ $# -gt 0 ] || return 0
  local sessions=" $* "
  ps -e -o sess= -o pid= | while read -r session pid; do
    [[ $sessions != *" $session "* ]] || echo "$pid"
  done
}

status() {
  local name gone=0 there=0
  for name in $(names); do
    if alive "$name"; then
      there=$((there + 1))
      echo "$name: process $(pid_of "$name"), $(ps -o rss= -p "$(pid_of "$name")" | awk '{printf "%d", $1 / 1024}') MB"
    else
      gone=$((gone + 1))
      echo "$name: gone; see $run/$name.log"
    fi
  done
  [ "$there" -gt 0 ] || { echo "no cluster is up"; return 3; }
  [ "$gone" = 0 ]
}

# One at a time: two that bring it up at once would start two job managers.
locked() {
  mkdir -p "$run"
  exec 9>"$run/.lock"
  flock 9
}

case ${1:-} in
up) locked && up ;;
down) locked && down ;;
status) status ;;
start) locked && check && start "${2:?expected a name, such as taskmanager-1}" ;;
pid) pid_of "${2:?expected a name, such as taskmanager-1}" ;;
*)
  sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
  ;;
esac
