"""The commands that `nhi` has where the laboratory is installed."""

COMMANDS = (
    ("simulate", "write labelled telemetry of a simulated account", "nhi_watch_lab.simulate"),
    ("train", "train the shipped model again, from seeds alone", "nhi_watch_lab.training.commands"),
    (
        "evaluate",
        "measure what is listed in worlds whose generator no training has seen",
        "nhi_watch_lab.evaluation.harness",
    ),
)
"""(name, help, module with `add_arguments(parser)` and `run(args, console) -> int`)."""
