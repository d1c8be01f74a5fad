"""The cluster groups CloudTrail documents into behaviours; only those travel (docs/decisions/0006-elastic.md)."""
