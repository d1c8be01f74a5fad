"""The alert action nhi_verdict. Splunk starts this file; all of it is in nhi_watch/hosts/splunk/nhi_verdict.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nhi_watch.hosts.splunk.nhi_verdict import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin, sys.stderr))
