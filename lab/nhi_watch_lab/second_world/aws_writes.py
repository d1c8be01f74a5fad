# ruff: noqa: E501
"""CloudTrail write calls and the response elements that their records carry."""
from nhi_watch_lab.tables import text

WRITES = text(__file__, "aws_writes_writes.txt")

# response elements of writes; anything else answers null
RESPONSES = text(__file__, "aws_writes_responses.txt")
