"""evaluate.json and the manifest → docs/method/model_card.md: no number is typed by hand.

The headings follow what NIST AI RMF asks of a documented model (Map 1.1 purpose, Measure 2.3 to 2.9 figures and
limits, Manage 2.4 how to switch it off).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nhi_watch_lab.evaluation import page

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
simulated machines (`lab/nhi_watch_lab/training/matrix.csv.gz`, numbers only, SHA-256
`{manifest["training_data_sha256"][:16]}…`). No customer's data. {versions}."""


def _figures(result: Figures) -> str:
    rows = [*_recalls(result), *page.single_figures(result["simulated"]), *_curves(result)]
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


def _curves(result: Figures) -> list[tuple[str, str]]:
    """What the curves say, as far as they were measured; the pages of `nhi evaluate` have them whole."""
    found = []
    for budget, row in result.get("budget", {}).get("budgets", {}).items():
        text = (f"{row['days_within']} of {row['days']} days, {row['overflow']} episodes without room; recall on the "
                f"same tenants {row['recall']['external']['recall']:.3f} external, "
                f"{row['recall']['inside']['recall']:.3f} inside")  # fmt: skip
        found.append((f"ordinary days within the budget, {budget} a day per 1,000", text))
    for budget, share in result.get("cold_start", {}).get("day_0_share_of_warm", {}).items():
        found.append((f"recall on day 0, as a share of that after 30 days, at {budget}", f"{share:.3f}"))
    for name, key in (("with", "best_strategy"), ("without", "best_strategy_without_caps")):
        row = result.get("poisoning", {}).get(key)
        if row:
            share = f"30 or more for {row['share_at_least_30_days']:.0%}"
            text = f"{row['least']} at least, {row['median']} in the median, {share}"
            found.append((f"days of poisoning until an attack passes unseen, {name} quarantine and caps", text))
    return found


class Target(NamedTuple):
    """A figure that was set before anything was measured."""

    name: str
    path: tuple[str, ...]
    bound: float
    at_most: bool = False


TARGETS = (
    Target("recall external at 10", ("simulated", "recall", "10", "external", "recall"), 0.95),
    Target("recall inside at 10", ("simulated", "recall", "10", "inside", "recall"), 0.90),
    Target("recall external at 3", ("simulated", "recall", "3", "external", "recall"), 0.90),
    Target("recall inside at 3", ("simulated", "recall", "3", "inside", "recall"), 0.75),
    Target("calibration error", ("simulated", "notables_written", "calibration", "error"), 0.05, at_most=True),
    Target("Brier skill of notables written", ("simulated", "notables_written", "brier", "skill"), 0.0),
    Target("day 0, share of warm recall", ("cold_start", "day_0_share_of_warm", "10"), 0.5),
    Target("days of poisoning, median", ("poisoning", "best_strategy", "median"), 30),
    Target("days of poisoning, least", ("poisoning", "best_strategy", "least"), 30),
)


def targets(result: Figures) -> list[tuple[str, str, str, str]]:
    """(figure, target, measured, whether it was reached) of all targets that were measured."""
    rows = []
    for target in TARGETS:
        value: Any = result
        for key in target.path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            reached = value <= target.bound if target.at_most else value >= target.bound
            sign = "≤" if target.at_most else "≥"
            rows.append((target.name, f"{sign} {target.bound:g}", f"{value:g}", "reached" if reached else "missed"))
    for budget, row in result.get("budget", {}).get("budgets", {}).items():
        state = "reached" if row["days_within"] == row["days"] else "missed"
        kept = f"{row['days_within']} of {row['days']}"
        rows.append((f"ordinary days within the budget of {budget}", f"{row['days']} of {row['days']}", kept, state))
    return rows


def _failures(result: Figures) -> str:
    missed: dict[str, int] = {}
    for row in result["simulated"]["missed"]:
        name = f"{row['technique']} {row['origin']}"
        missed[name] = missed.get(name, 0) + 1
    worst = sorted(missed, key=lambda name: (-missed[name], name))[:8]
    named = ", ".join(f"{name} ({missed[name]})" for name in worst) or "none"
    unlike = ", ".join(result["simulated"]["indistinguishable"]) or "none"
    fastest = ", ".join(f"{f['technique']} {f['origin']} ({f['days']} days)"
                        for f in result.get("poisoning", {}).get("fastest", [])[:5])  # fmt: skip
    return f"""## Known failures

{page.table(["target", "", "measured", ""], targets(result))}

Missed most at 10 a day: {named}. Techniques that differ from ordinary use in nothing that a log tells: {unlike}.
Poisoned fastest, by an attacker who knows everything: {fastest or "not measured"}. {_lost(result)}
A person who works with a machine's role from a new place looks like a thief, and is ranked like one."""


def _lost(result: Figures) -> str:
    """Which missing field costs most."""
    fields = result.get("fields", {}).get("recall", {})
    whole = fields.get("nothing", {}).get("3", {}).get("all", {}).get("recall")
    if whole is None:
        return ""
    lost = {name: whole - row["3"]["all"]["recall"] for name, row in fields.items() if name != "nothing"}
    worst = sorted(lost, key=lambda name: -lost[name])[:3]
    told = ", ".join(f"{name} (recall at 3 falls by {lost[name]:.3f})" for name in worst)
    return f"Logs that lack a field cost most without: {told}."


LIMITS = """## What it is not for

- Not for people: identities that prove to be persons get no notable.
- Not an all-clear: a quiet day may be a day without logs.
- Not a probability for your account: it is true at the prevalence in `lab/nhi_watch_lab/training/fit.py`; elsewhere it
  is an order.
- The figures here are of CloudTrail alone. Attacks across other logs:
  `nhi_watch_lab.evaluation.products`.
- Rates and rhythms of the simulated accounts are assumptions (decision 0003)."""

SWITCH = """## How to switch it off

Files: do not run `nhi score`. Splunk: take `nhiscore` out of searches, or remove the app. Elasticsearch: remove the
schedule of `nhi elastic run`. Nothing else depends on it, and nothing that it writes acts on an account."""
