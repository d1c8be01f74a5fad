"""evaluate.json → evaluate.html: the figures with pictures, one file without outside requests and without scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from nhi_watch_lab.evaluation import charts, page
from nhi_watch_lab.evaluation.curves_page import Sheet, sheets

Figures = Mapping[str, Any]
LOST_MOST = 14


def render(result: Figures) -> str:
    """The page of what was measured; every text is escaped, names of a user's techniques among them."""
    style = _asset("evaluation.css")
    environment = Environment(loader=FunctionLoader(_asset), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("evaluation.html.j2").render(
        style=Markup(style),  # noqa: S704
        policy=_policy(style),
        model=result["model"],
        head=_head(result),
        figures=list(page.single_figures(result["simulated"])) if "simulated" in result else [],
        bars=list(_bars(result)),
        lines=list(_lines(result)),
        sheets=list(_sheets(result)),
        left=charts.LEFT, width=charts.WIDTH, row=charts.ROW, high=charts.HIGH, floor=charts.HIGH - charts.BOTTOM,
    )  # fmt: skip


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _head(result: Figures) -> list[tuple[str, str]]:
    """The targets that the reader looks for first, as far as they were measured."""
    found: list[tuple[str, str]] = []
    if "simulated" in result:
        for budget in ("10", "3"):
            for origin in ("external", "inside"):
                figure = result["simulated"]["recall"][budget][origin]
                found.append((f"recall {origin} at {budget}", f"{figure['recall']:.3f}"))
        error = result["simulated"]["notables_written"]["calibration"]["error"]
        found.append(("calibration error", f"{error:.3f}"))
    if "budget" in result:
        row = result["budget"]["budgets"]["10"]
        found.append(("ordinary days within the budget", f"{row['days_within']} of {row['days']}"))
    if "cold_start" in result:
        found.append(("day 0, share of warm recall", f"{result['cold_start']['day_0_share_of_warm']['10']:.2f}"))
    if "poisoning" in result:
        found.append(("poisoning, median days", str(result["poisoning"]["best_strategy"]["median"])))
    return found


def _bars(result: Figures) -> Iterator[charts.Bars]:
    if "simulated" in result:
        for budget in ("10", "3"):
            for origin in ("external", "inside"):
                yield charts.recall_bars(result["simulated"]["rivals"], budget, origin)
    if "real_rivals" in result:
        for origin in ("external", "inside"):
            drawn = charts.recall_bars(result["real_rivals"], "3", origin)
            yield drawn._replace(title=f"Real content: first of its day, {origin}")
    if "signals" in result:
        worst = [(name, row["3"]) for name, row in result["signals"].items()]
        worst.sort(key=lambda pair: -pair[1]["recall"])
        scale = max(0.01, *(figure["interval"][1] for _, figure in worst[:LOST_MOST]))
        yield charts.bars("Recall lost at 3 without a signal", worst[:LOST_MOST], scale)
    if "fields" in result:
        told = [(name, row["3"]["all"]) for name, row in result["fields"]["recall"].items()]
        yield charts.bars("Recall at 3 where logs lack a field", told)


def _lines(result: Figures) -> Iterator[charts.Lines]:
    if "cold_start" in result:
        yield charts.cold_lines(result["cold_start"])
    if "simulated" in result and result["simulated"]["notables_written"]["calibration"]["bins"]:
        yield charts.reliability(result["simulated"]["notables_written"]["calibration"]["bins"])
    if "poisoning" in result:
        yield charts.survival(result["poisoning"])


def _sheets(result: Figures) -> Iterator[Sheet]:
    if "simulated" in result:
        yield page.techniques_sheet(result["simulated"])
    yield from sheets(result)
