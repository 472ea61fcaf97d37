"""Names the header that says which snapshot answered."""

SNAPSHOT_HEADER = "X-Firstseen-Snapshot"
