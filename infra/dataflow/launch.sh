#!/usr/bin/env bash
# Launches a command of firstseen on Dataflow from its Flex Template; builds nothing and uploads nothing.
#
# launch.sh --project PROJECT --region REGION --bucket BUCKET --image IMAGE@sha256:… \
#   [--service-account EMAIL] [--max-workers 20] [--name firstseen] [--dry-run] -- verb=reindex archive=gs://… store=gs://…
#
# What follows -- are parameters of infra/dataflow/metadata.json. --dry-run only shows the command of gcloud.
set -euo pipefail

usage() {
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

fail() {
  echo "launch.sh: $1" >&2
  exit 2
}

project='' region='' bucket='' image='' account='' workers=20 name=firstseen dry_run=''
while [ $# -gt 0 ]; do
  case $1 in
    --) shift && break ;;
    --dry-run) dry_run=yes && shift && continue ;;
    --help) usage ;;
    --*) [ $# -gt 1 ] || fail "$1 has no value" ;;
  esac
  case $1 in
    --project) project=$2 ;;
    --region) region=$2 ;;
    --bucket) bucket=$2 ;;
    --image) image=$2 ;;
    --service-account) account=$2 ;;
    --max-workers) workers=$2 ;;
    --name) name=$2 ;;
    *) fail "received $1; expected the options that --help lists, then -- and parameters" ;;
  esac
  shift 2
done
[ -n "$project" ] && [ -n "$region" ] && [ -n "$bucket" ] && [ -n "$image" ] ||
  fail "expected --project, --region, --bucket and --image; --help shows them"
[[ $image == *@sha256:* ]] || fail "--image is $image; expected IMAGE@sha256:…, as a tag may be moved while jobs run"
[ $# -gt 0 ] || fail "received no parameters; expected -- verb=… store=…"

command=(gcloud dataflow flex-template run "$name-$(date -u +%Y%m%d-%H%M%S)"
  --project "$project" --region "$region"
  --template-file-gcs-location "gs://$bucket/templates/firstseen.json"
  --staging-location "gs://$bucket/staging" --temp-location "gs://$bucket/temp"
  --max-workers "$workers")
[ -z "$account" ] || command+=(--service-account-email "$account")
for parameter in "$@" "sdk_container_image=$image"; do
  [[ $parameter == ?*=* ]] || fail "received $parameter; expected name=value"
  # gcloud reads a list with commas: ^~^ makes it one with tildes, and commas part of the value.
  command+=(--parameters "^~^$parameter")
done

printf '%q ' "${command[@]}"
echo
[ -n "$dry_run" ] || exec "${command[@]}"
