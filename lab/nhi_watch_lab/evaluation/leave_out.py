"""Real techniques that the model was not trained on: each is left out of the training once, then grafted.

`python -m nhi_watch_lab.evaluation.leave_out ../shared/data` prints, by account and origin, for how many of the
techniques the machine that makes them is high or critical and first of its day, judged by a scorecard that never
saw the technique's real records (nor any record of the account).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from nhi_watch.detect import model as models
from nhi_watch_lab.evaluation.background import techniques
from nhi_watch_lab.evaluation.grafts import Graft, all_grafts, summarise
from nhi_watch_lab.training import fit, matrix, write
from nhi_watch_lab.training.commands import MATRIX, PRIOR

FOLDS = 5


def left_out(data: Path) -> Iterator[Graft]:
    """Every graft, judged by the scorecard of the fold that left its technique out."""
    whole = matrix.read(MATRIX)
    prior = json.loads(PRIOR.read_text())
    names = list(techniques(data))
    for fold in range(FOLDS):
        out = [number for number in range(len(names)) if number % FOLDS == fold]
        fitted = fit.fit(whole.without([str(number + 1) for number in out]), fit.read_form())
        card = models.parse(write.document(fitted, prior))
        chosen = {names[number] for number in out}
        yield from (g for g in all_grafts(card, data, lambda stage, done, total: None) if g.technique in chosen)


def main() -> None:
    """Write the figures to standard output as JSON."""
    summary = summarise(list(left_out(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))))
    short = {
        account: {origin: {k: v for k, v in part.items() if k != "failures"} for origin, part in rest.items()}
        for account, rest in summary.items()
    }
    sys.stdout.write(json.dumps(short, indent=1) + "\n")


if __name__ == "__main__":
    main()
