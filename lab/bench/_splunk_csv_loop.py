"""The floor for bench_splunk.py: reads each chunk's rows with the csv module and writes them again."""

import csv
import io
import sys

csv.field_size_limit(2**31 - 1)
requests, replies = sys.stdin.buffer, sys.stdout.buffer
while header := requests.readline():
    head, size = (int(part) for part in header.split(b",")[1:])
    requests.read(head)
    out = io.StringIO()
    rows = csv.reader(io.StringIO(requests.read(size).decode(), newline=""))
    csv.writer(out, lineterminator="\n").writerows(rows)
    body = out.getvalue().encode()
    replies.write(b"chunked 1.0,2,%d\n{}%b" % (len(body), body))
    replies.flush()
