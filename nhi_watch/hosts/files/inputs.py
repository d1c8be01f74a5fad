"""What the commands that read logs share: their arguments, the job, and the progress."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console

from nhi_watch.core import registry
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common

if TYPE_CHECKING:
    from nhi_watch.hosts.files.jobs import ScoreJob


def add_input(command: argparse.ArgumentParser) -> None:
    """Arguments of every command that reads logs."""
    names = registry.names("nhi_watch.intake.sources")
    command.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, folders, .gz, or - for standard input (default: those of nhi.toml)",
    )
    command.add_argument(
        "--source",
        default="auto",
        choices=("auto", *names),
        metavar="NAME",
        help=f"kind of log: auto (default), {', '.join(names)}",
    )
    common.add_state(command, assets=False, now=False)
    common.add_tables(command)
    command.add_argument(
        "--file-bounds",
        type=_times,
        default=1.0,
        metavar="N",
        help="multiply the default bounds "
        "(256 MB and 200 times its size, 200,000 records and one in 4 bytes, 120 seconds and one in "
        "50 kB) that one file may use; beyond them it is read only in part (default: 1)",
    )


def _times(text: str) -> float:
    return float(common.whole_number(text, 1, 1_000_000))


def job_of(args: argparse.Namespace) -> ScoreJob:
    """The job that the arguments ask for.

    Raises:
        InputError: nothing is named to read, or the configuration lies among it.
    """
    from nhi_watch.detect import model
    from nhi_watch.hosts.files import config, jobs

    if not args.paths:
        raise InputError("nothing to read: name files or folders, or write them as paths into nhi.toml")
    config.demand_apart(getattr(args, "config", config.NOTHING), args.paths)
    return jobs.ScoreJob(
        args.paths,
        args.out,
        common.state_of(args),
        source=args.source,
        networks=args.networks,
        model=args.model or model.FOLDER,
        reputation=args.reputation,
        file_bounds=args.file_bounds,
    )


def tell_refused(run: dict[str, Any]) -> None:
    """Which indicators were not taken, and why."""
    text = ", ".join(f"{count:,} {reason}" for reason, count in run["reputation"]["refused"].items())
    if text:
        common.warn(f"indicators of --reputation that were not used: {text}")


def demand_records(run: dict[str, Any]) -> None:
    """Raises:
    InputError: nothing was read, which must not look like a quiet day.
    """
    if not run["read"]:
        raise InputError("the paths hold no records, so nothing was scored; check them")


@contextmanager
def progress(paths: Sequence[str]) -> Iterator[tuple[Callable[[int], None], Callable[[str, int, int], None]]]:
    """A bar on a terminal, on standard error; nothing where nobody watches."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda count: None, lambda stage, done, total: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from nhi_watch.hosts.files import reader

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bar:
        reading = bar.add_task("reading", total=max(1, reader.size(paths)))
        scoring = bar.add_task("scoring", total=None, visible=False)

        def on_stage(stage: str, done: int, total: int) -> None:
            bar.update(scoring, description=stage, completed=done, total=total, visible=True)

        yield lambda count: bar.advance(reading, count), on_stage
