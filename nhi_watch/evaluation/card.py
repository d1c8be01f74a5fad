"""evaluate.json and the manifest → docs/model_card.md: no number is typed by hand.

The headings follow what NIST AI RMF asks of a documented model (Map 1.1 purpose, Measure 2.3 to 2.9 figures and
limits, Manage 2.4 how to switch it off).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhi_watch.evaluation import page

Figures = Mapping[str, Any]


def render(result: Figures, manifest: Figures) -> str:
    """The model card, in Markdown."""
    return "\n\n".join([_head(result), _data(manifest), _figures(result), _failures(result), LIMITS, SWITCH]) + "\n"


def _head(result: Figures) -> str:
    return f"""# Model card: {result["model"]["id"]}

Written by `nhi evaluate --card`, from `evaluate.json` and the manifest. SHA-256 `{result["model"]["sha256"]}`.

**Purpose.** Rank one day of one non-human identity by the probability that its credential is stolen or misused, so that
people look at a few. A sum of one step function per signal: the points are the explanation (`nhi explain`,
`nhi model show`).

**Owner.** The maintainers of this repository; whoever retrains it owns what comes out."""


def _data(manifest: Figures) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in sorted(manifest["versions"].items()))
    return f"""## Data

Trained {manifest["date"]} on {len(manifest["signals"])} signals of simulated accounts, and of real attack records by
simulated machines (`nhi_watch/training/matrix.csv.gz`, numbers only, SHA-256
`{manifest["training_data_sha256"][:16]}…`). No customer's data. {versions}."""


def _figures(result: Figures) -> str:
    rows = [*_recalls(result), *page.single_figures(result["simulated"])]
    return "## Figures on tenants it never saw\n\n" + page.table(["figure", "value"], rows)


def _recalls(result: Figures) -> list[tuple[str, str]]:
    found = []
    for budget, parts in result["simulated"]["recall"].items():
        for origin in ("external", "inside"):
            part = parts[origin]
            low, high = part["interval"]
            text = f"{part['recall']:.3f} ({low:.2f} to {high:.2f}), {part['found']} of {part['incidents']}"
            found.append((f"recall, {origin}, {budget} notables a day per 1,000 identities", text))
    return found


def _failures(result: Figures) -> str:
    missed: dict[str, int] = {}
    for row in result["simulated"]["missed"]:
        name = f"{row['technique']} {row['origin']}"
        missed[name] = missed.get(name, 0) + 1
    worst = sorted(missed, key=lambda name: (-missed[name], name))[:8]
    named = ", ".join(f"{name} ({missed[name]})" for name in worst)
    unlike = ", ".join(result["simulated"]["indistinguishable"]) or "none"
    return f"""## Known failures

Missed most at 10 a day: {named}. Techniques that differ from ordinary use in nothing that a log tells: {unlike}.
A person who works with a machine's role from a new place looks like a thief, and is ranked like one."""


LIMITS = """## What it is not for

- Not for people: identities that prove to be persons get no notable.
- Not an all-clear: a quiet day may be a day without logs.
- Not a probability for your account: it is true at the prevalence in `nhi_watch/training/fit.py`; elsewhere it is
  an order.
- Measured on CloudTrail. Other logs are scored by the same signals; how well, nobody has measured yet.
- Rates and rhythms of the simulated accounts are assumptions (decision 0003)."""

SWITCH = """## How to switch it off

Files: do not run `nhi score`. Splunk: take `nhiscore` out of searches, or remove the app. Elasticsearch: remove the
schedule of `nhi elastic run`. Nothing else depends on it, and nothing that it writes acts on an account."""
