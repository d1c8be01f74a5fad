"""`nhi simulate`: labelled telemetry of a simulated account."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from rich.console import Console

from nhi_watch.core.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi simulate` takes."""
    parser.add_argument("--days", type=_count, default=14, metavar="N", help="default: 14")
    parser.add_argument("--machines", type=_count, default=120, metavar="N", help="default: 120")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same bytes")
    parser.add_argument("--start", default="2025-03-03", metavar="DATE", help="default: 2025-03-03")
    parser.add_argument(
        "--campaigns", type=int, metavar="N", help="incidents (default: one per 2 days and 200 machines)"
    )
    parser.add_argument(
        "--events", type=int, default=0, metavar="N", help="approximate number of events; not with --products"
    )
    parser.add_argument(
        "--products",
        action="store_true",
        help="simulate all logs of a company, not AWS alone; --machines counts all machine identities",
    )
    parser.add_argument(
        "--public-attack",
        action="store_true",
        help="add an incident that follows the attack of a public dataset; not with --products",
    )
    parser.add_argument(
        "--world",
        type=int,
        metavar="SEED",
        help="write the world drawn from this seed instead; takes --padded, --products, --hand, --out",
    )
    parser.add_argument(
        "--hand",
        choices=("second", "third", "fourth", "fifth"),
        help="with --world: the world that another generator builds from that seed",
    )
    parser.add_argument("--padded", action="store_true", help="with --world: each attacker hides among harmless calls")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for events/*.ndjson.gz and labels.json"
    )


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 on")
    return number


def run(args: argparse.Namespace, console: Console) -> int:
    """Write the telemetry.

    Raises:
        InputError: the arguments do not fit together, or the folder cannot be written.
    """
    if args.world is not None:
        return _world(args, console)
    if args.padded or args.hand:
        raise InputError("nhi simulate: --padded needs --world, so does --hand")
    from nhi_watch_lab import public_attack, simulator
    from nhi_watch_lab.simulator import products

    if args.products and args.events:
        raise InputError("nhi simulate: --events and --products exclude each other; the volume follows --machines")
    common = {"days": args.days, "seed": args.seed, "start": args.start, "campaigns": args.campaigns}
    try:
        if args.products:
            labels = products.write(args.out, products.Spec(nhis=args.machines, **common))
        else:
            spec = simulator.Spec(machines=args.machines, events=args.events, **common)
            tenant = simulator.Tenant(spec)
            if args.public_attack:
                public_attack.add(tenant)
            labels = simulator.write(args.out, spec, tenant)
    except (OSError, OverflowError, ValueError) as error:
        raise InputError(f"nhi simulate: {error}") from error
    incidents = len(labels["incidents"])
    text = f"Wrote {args.days} days of {args.machines} machines with {incidents} incidents to {args.out}."
    console.print(text, soft_wrap=True, markup=False)
    return 0


def _world(args: argparse.Namespace, console: Console) -> int:
    from nhi_watch_lab import worlds

    try:
        if args.hand:
            make = import_module(f"nhi_watch_lab.{args.hand}_world").generate
            make(args.world, args.out, padded=args.padded)
            text = f"Wrote the {args.hand} world {args.world}"
        else:
            world = worlds.draw(args.world, padded=args.padded, company=args.products or None)
            labels = worlds.write(world, args.out)
            text = (
                f"Wrote world {world.seed}: {world.days} days of {world.identities} machines with "
                f"{len(labels['incidents'])} incidents"
            )
    except OSError as error:
        raise InputError(f"nhi simulate: {error}") from error
    console.print(f"{text} to {args.out}.", soft_wrap=True, markup=False)
    return 0
