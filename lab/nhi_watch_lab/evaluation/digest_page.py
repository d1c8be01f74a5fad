"""docs/method/worlds.md: the short form of `nhi_watch_lab.evaluation.worlds` as a page.

`python -m nhi_watch_lab.evaluation.worlds ARGUMENTS | python -m nhi_watch_lab.evaluation.digest_page FILE ARGUMENTS`
"""

from __future__ import annotations

import sys
from pathlib import Path

HEAD = """# The score in worlds that nobody tuned on

For: whoever asks how good it is. Written by `python -m nhi_watch_lab.evaluation.worlds {arguments}`; no number is typed
by hand.

*drawn*: tenants of the family of worlds, of seeds that neither training (1001-1016) nor selection (2001-2020) uses.
*second*: the independent second world, written without sight of detector and simulator (decision 0009). Found at B a
day: fewer than B × days × identities ÷ 1,000 benign notables rank at or above the incident over the whole test; what
goes on for days is one notable; a tie counts against the detector. Rivals see the same days.

```
{told}
```
"""


def main(target: Path, arguments: str, told: str) -> None:
    """Write the page."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(HEAD.format(arguments=arguments, told=told.rstrip()), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), " ".join(sys.argv[2:]), sys.stdin.read())
