"""The program `nhi`: arguments and wiring. Only here is anything printed, logged or ended."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn, Optional

from nhi_watch import __version__
from nhi_watch.core.errors import InputError, ModelError, NhiError, StoreError

FILES = "nhi_watch.hosts.files"
COMMANDS = (
    ("score", "score logs and write ranked, explained notables", f"{FILES}.score"),
    ("list", "list the notables of the last run", f"{FILES}.listing"),
    ("show", "show who an identity is, what it did and reaches, and its notables", f"{FILES}.show"),
    ("notify", "send new or more severe notables, once each", f"{FILES}.notify"),
    ("baseline", "learn what is normal, without writing notables", f"{FILES}.baseline"),
    ("explain", "explain a notable's likelihood", f"{FILES}.explain"),
    ("model", "show a model, or verify its files", f"{FILES}.models"),
    ("verify", "recompute a notable's likelihood and receipt from the state", f"{FILES}.verify"),
    ("health", "show silent logs, missing fields, drift, and the model's hash", f"{FILES}.health"),
    ("exposed", "report an exposed credential: whose it is, what it reaches, its use", f"{FILES}.exposed"),
    ("posture", "find risky secrets, identities and permissions", f"{FILES}.posture"),
    ("controls", "follow up on rotation and reduction; record exceptions", f"{FILES}.controls"),
    ("expect", "declare calls of an identity as expected until a date, with a preview", f"{FILES}.expect"),
    ("note", "write a note on a notable, assign it, mark it as in progress", f"{FILES}.note"),
    ("feedback", "give verdicts on notables; make and list exceptions", f"{FILES}.feedback"),
    ("brief", "summarize a notable, each sentence with its proof", f"{FILES}.brief"),
    ("respond", "plan, approve and export a response", f"{FILES}.respond"),
    ("audit", "verify or repair the audit trail", f"{FILES}.audit"),
    ("completion", "print the shell-completion script", f"{FILES}.completion"),
    ("elastic", "set up and run the jobs on Elasticsearch", "nhi_watch.hosts.elastic.commands"),
)
"""(name, help, module with `add_arguments(parser)` and `run(args, console) -> int`)."""
LAB = "nhi_watch_lab"
GROUPS = (
    ("Score and read", ("score", "list", "explain", "show", "brief", "notify", "baseline")),
    ("Verdicts", ("feedback", "note", "expect")),
    ("Respond", ("respond", "controls", "exposed", "posture")),
    ("Check", ("health", "verify", "audit", "model")),
    ("Hosts and shell", ("elastic", "completion")),
)
"""How `nhi --help` lists the commands; those that are in none are the laboratory's."""
EXAMPLES = {
    "score": "nhi score logs/ --out results",
    "list": "nhi list --severity medium --out results",
    "show": "nhi show 203.0.113.7 --out results",
    "notify": "nhi notify --digest --dry-run --out results",
    "baseline": "nhi baseline history/ --out results",
    "explain": "nhi explain 1 --out results",
    "model": "nhi model verify",
    "verify": "nhi verify 1 --out results",
    "health": "nhi health --problems --out results",
    "exposed": "nhi exposed AKIAIOSFODNN7EXAMPLE --where github.com/acme/shop --out results",
    "posture": "nhi posture --secret-days 180 --out results",
    "controls": "nhi controls --owner payments --out results",
    "expect": "nhi expect 3 --until 2026-12-31 --by ann --why 'new release job' --out results",
    "note": "nhi note 3 'asked the owner' --by ann --status waiting --out results",
    "feedback": "nhi feedback 3,7 benign --by ann --why 'planned migration' --out results",
    "brief": "nhi brief 1 --out results",
    "respond": "nhi respond plan 1 --out results",
    "audit": "nhi audit verify --out results",
    "completion": "nhi completion bash > /etc/bash_completion.d/nhi",
    "elastic": "nhi elastic doctor --url https://es.example.com:9200 --api-key-file key.txt",
    "simulate": "nhi simulate --days 14 --machines 120 --seed 7 --out data",
    "train": "nhi train",
    "evaluate": "nhi evaluate",
}
"""Command → one that works as it stands, the last line of its help."""


def commands() -> tuple[tuple[str, str, str], ...]:
    """All commands: those of the laboratory are there where it is installed."""
    more = import_module(f"{LAB}.commands").COMMANDS if find_spec(LAB) else ()
    return (*COMMANDS, *more)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line: what is wrong, and where it is said what can be given."""
        text = message.replace(": a ", ": give a ", 1)
        self.exit(2, f"{self.prog}: {text}; see {self.prog} --help\n")


class _Paragraphs(argparse.HelpFormatter):
    """Fills each paragraph by itself, and leaves an example whole, so that it can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = text.split("\n\n")
        return "\n\n".join(
            p if p.startswith(_EXAMPLE) else super(_Paragraphs, self)._fill_text(p, width, indent) for p in parts
        )


class _Top(_Parser):
    """Lists the commands in groups, each in one line."""

    def format_help(self) -> str:
        """The help of the program."""
        (action,) = (a for a in self._actions if isinstance(a, argparse._SubParsersAction))
        known, action._choices_actions = action._choices_actions, []
        try:
            return f"{super().format_help()}\n{_grouped({each.dest: str(each.help) for each in known})}\n\n{_START}\n"
        finally:
            action._choices_actions = known


def _grouped(commands: Mapping[str, str]) -> str:
    """The commands, each with what it does, under the titles of their groups."""
    grouped = {name for _, names in GROUPS for name in names}
    rest = tuple(name for name in commands if name not in grouped)
    groups = [*GROUPS, *([("Laboratory", rest)] if rest else ())]
    return "\n\n".join(
        "\n".join([f"{title}:", *(f"  {name:<12}{commands[name]}" for name in names)]) for title, names in groups
    )


_EXAMPLE = "Example: "
_START = "Start with: nhi score logs/ --out results, then nhi explain 1 --out results; nhi COMMAND --help says more."


def parser(only: str = "", config: Optional[Path] = None) -> argparse.ArgumentParser:
    """The command line; where one command is named, the others are listed but not loaded.

    Raises:
        InputError: the configuration is wrong.
    """
    top = _Top(
        prog="nhi",
        description="Find stolen and misused non-human identities in the logs that you already have.",
    )
    top.add_argument("--version", action="version", version=f"nhi {__version__}")
    top.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        dest="named",
        help="default options (default: nhi.toml in this folder, if there is one)",
    )
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    listed = commands() if only != "--version" else ()
    known = only in {name for name, _, _ in listed}
    for name, text, module in listed:
        added = _plug_in(subparsers, (name, text, module), load=name == only or not (known or only in _TOP_ONLY))
        if name == only and module.startswith(FILES):
            from nhi_watch.hosts.files import config as configuration

            settings = configuration.load(config)
            configuration.give(added, settings)
            if settings.path is not None:
                _tell(f"nhi: using the settings in {settings.path.absolute()}")
    return top


_TOP_ONLY = ("-h", "--help")


def _named(words: Sequence[str]) -> tuple[str, Optional[Path]]:
    """The command, and the configuration that is named before it.

    >>> _named(["--config", "a.toml", "score"]), _named(["list"])
    (('score', PosixPath('a.toml')), ('list', None))
    """
    if words[:1] == ["--config"] and len(words) > 1:
        return (words[2] if len(words) > 2 else ""), Path(words[1])
    if words and words[0].startswith("--config="):
        return (words[1] if len(words) > 1 else ""), Path(words[0].partition("=")[2])
    return (words[0] if words else ""), None


def _plug_in(subparsers: Any, command: tuple[str, str, str], load: bool) -> argparse.ArgumentParser:
    name, text, module = command
    added: argparse.ArgumentParser = subparsers.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", formatter_class=_Paragraphs
    )
    if load:
        part = import_module(module)
        part.add_arguments(added)
        added.epilog = "\n\n".join(filter(None, [added.epilog, _EXAMPLE + EXAMPLES[name]]))
        added.set_defaults(run=lambda args: part.run(args, _console()), parser=parser)
    return added


def _console() -> Any:
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich's own way ends with 1

    return Piped(highlight=False, emoji=False)  # `:secret:` in an ARN is no picture


def _tell(text: str) -> None:
    """Say what went wrong; names of files and values in it may be anybody's."""
    from nhi_watch.report.words import visible

    print("\n".join(visible(line) for line in text.split("\n")), file=sys.stderr)


class _Terminated(KeyboardInterrupt):
    """SIGTERM, as schedulers and service managers stop a program: leases are given back, as after Ctrl-C."""


def _terminated(*_: object) -> None:
    raise _Terminated


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Exit code 0: it ran. 1: internal error. 2: wrong input or configuration. 141: the reader of a pipe closed it."""
    words = list(sys.argv[1:] if argv is None else argv)
    os.umask(0o027)  # logs, state and reports are nobody else's business
    with suppress(ValueError):  # only the main thread hears signals
        signal.signal(signal.SIGTERM, _terminated)
    try:
        args = parser(*_named(words)).parse_args(words)
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except (InputError, ModelError, StoreError) as error:
        _tell(f"nhi: {error}")
        return 2
    except NhiError as error:
        _tell(f"nhi: {error}")
        return 1
    except KeyboardInterrupt as stop:
        print("nhi: stopped; the next run does what was not finished", file=sys.stderr)
        if isinstance(stop, _Terminated):  # who stops a service looks at how it ended
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere
        return 141
    except OSError as error:
        _tell(f"nhi: {error}; check the disk and the permissions")
        return 2
    except Exception as error:  # the last line of defence: one line, not a page
        if os.environ.get("NHI_DEBUG"):
            raise
        _tell(f"nhi: internal error: {type(error).__name__}: {error}; set NHI_DEBUG=1 to see where")
        return 1


if __name__ == "__main__":
    sys.exit(main())
