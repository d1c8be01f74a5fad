# ruff: noqa: E501
"""CloudTrail read calls: service, event name, request parameters ($name is filled per record).

Parameter names follow the services' API models and public CloudTrail samples. A leading `*`
marks a data event. `-` stands for null parameters.
"""
from nhi_watch_lab.tables import text

READS = text(__file__, "aws_reads_reads.txt")
