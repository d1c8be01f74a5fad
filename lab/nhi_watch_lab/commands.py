"""The commands that `nhi` has where the laboratory is installed."""

COMMANDS = (
    ("simulate", "write labelled telemetry of a made-up account", "nhi_watch_lab.simulate"),
    ("train", "train the scorecard from its committed matrix", "nhi_watch_lab.training.commands"),
    ("evaluate", "measure detection on labelled data that no training has seen", "nhi_watch_lab.evaluation.run"),
    ("race", "measure whether the notable comes before the thief, with late logs", "nhi_watch_lab.evaluation.race"),
)
"""(name, help, module with `add_arguments(parser)` and `run(args, console) -> int`)."""
