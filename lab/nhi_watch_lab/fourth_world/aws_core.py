"""API calls of storage, compute, keys and logs, in the notation of aws_calls."""
from nhi_watch_lab.tables import text

TEXT = text(__file__, "aws_core.txt")
