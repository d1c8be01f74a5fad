"""API calls of identity, governance, data, models and delivery, in the notation of aws_calls."""
from nhi_watch_lab.tables import text

TEXT = text(__file__, "aws_more.txt")
