"""The alert action nhi_notable. Splunk starts this file; all of it is in nhi_watch/hosts/splunk/alert.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nhi_watch.hosts.splunk.alert import start

if __name__ == "__main__":
    sys.exit(start())
