"""The search command nhi. Splunk starts this file; all of it is in nhi_watch/hosts/splunk/nhi.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nhi_watch.hosts.splunk.nhi import main

if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
