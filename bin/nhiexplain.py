"""The search command nhiexplain. Splunk starts this file; all of it is in nhi_watch/hosts/splunk/nhiexplain.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nhi_watch.hosts.splunk.nhiexplain import main

if __name__ == "__main__":
    main()
