"""The search command nhihealth. Splunk starts this file; all of it is in nhi_watch/hosts/splunk/nhihealth.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nhi_watch.hosts.splunk.nhihealth import main

if __name__ == "__main__":
    main()
