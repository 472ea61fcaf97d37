#!/usr/bin/env bash
# Fetches what a Flink cluster for Beam's Python SDK takes into a work folder: Flink from PyPI, and Beam's job server,
# built of parts from Maven Central. What is there already stays, and what was broken off is gone on with.
#   infra/flink/setup.sh            three minutes the first time, 0.4 GB
# By environment: FLINK_WORK, the work folder (.flink of this checkout); PYTHON, any Python with pip. Exits with 69 if a
# program or a download cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${FLINK_WORK:-$here/../../.flink}
python=${PYTHON:-python3}
flink_version=1.19.3
# PyPI's sdist, which holds the jars of the distribution, and its digest.
flink_sdist=apache-flink-libraries-$flink_version.tar.gz
flink_sha256=4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60
job_server=beam-runners-flink-1.19-job-server-2.62.0.jar

fail() {
  echo "setup.sh: $*" >&2
  exit 1
}

unavailable() {
  echo "setup.sh: $*" >&2
  exit 69
}

# The last line of a log that says what went wrong, for an error of one line.
reason() {
  grep -E 'ERROR|error' "$1" | tail -1 | cut -c1-300 || true
}

require() {
  command -v "$1" >/dev/null || unavailable "$1 is not on PATH; expected $2"
}

fetch_flink() {
  [ ! -f "$work/flink-$flink_version/.done" ] || return 0
  "$python" -m pip --version >/dev/null 2>&1 || unavailable "$python has no pip; expected a Python that has, named by PYTHON"
  echo "fetching Flink $flink_version (230 MB)"
  local archive=$work/download/$flink_sdist folder=$work/flink-$flink_version
  # Only the digest says that a file is whole: a download may have been broken off.
  if ! echo "$flink_sha256  $archive" | sha256sum --check --status 2>/dev/null; then
    mkdir -p "$work/download"
    rm -f "$archive"
    # pip unpacks an sdist and runs its setup.py to see what it is: it must know the digest before that.
    echo "apache-flink-libraries==$flink_version --hash=sha256:$flink_sha256" >"$work/download/requirements.txt"
    "$python" -m pip download --no-deps --require-hashes --dest "$work/download" \
      --requirement "$work/download/requirements.txt" >"$work/fetch.log" 2>&1 || {
      ! grep --quiet 'DO NOT MATCH THE HASHES' "$work/fetch.log" || fail "$flink_sdist of the package index has another" \
        "digest than $flink_sha256; expected what PyPI has: see $work/fetch.log"
      unavailable "cannot fetch $flink_sdist from the package index: $(reason "$work/fetch.log"); see $work/fetch.log"
    }
  fi
  rm -rf "$folder"
  mkdir -p "$folder"
  # flink-dist and the loggers alone: the others plan SQL.
  tar xzf "$archive" -C "$folder" --no-same-owner --strip-components=3 --wildcards '*/deps/lib/flink-dist-*' '*/deps/lib/log4j-*'
  touch "$folder/.done"
  rm -r "$work/download"
}

build_job_server() {
  local made_from=$work/$job_server.pom
  ! cmp --quiet "$here/jobserver/pom.xml" "$made_from" || return 0
  require java "a Java of 11 or 17: apt install openjdk-17-jre-headless"
  require mvn "Maven: apt install maven"
  echo "building Beam's job server (two minutes the first time)"
  rm -rf "$work/jobserver" "$made_from"
  cp -r "$here/jobserver" "$work/"
  # Strict checksums: a part that is not what the repository says it is ends the build.
  mvn --batch-mode --no-transfer-progress --strict-checksums -Dmaven.artifact.threads=16 \
    -f "$work/jobserver/pom.xml" package >"$work/build.log" 2>&1 || {
    local what
    what="cannot build the job server: $(reason "$work/build.log"); see $work/build.log"
    ! grep --quiet -E 'Could not (transfer|find|resolve)' "$work/build.log" || unavailable "$what"
    fail "$what"
  }
  mv "$work/jobserver/target/$job_server" "$work/$job_server"
  mv "$work/jobserver/pom.xml" "$made_from"
  rm -r "$work/jobserver"
}

require sha256sum "that of coreutils"
require flock "that of util-linux"
mkdir -p "$work"
# Two that run at once would write the same files.
exec 9>"$work/.lock"
flock 9
fetch_flink
build_job_server
echo "Flink $flink_version and Beam's job server lie in $(cd "$work" && pwd)"
