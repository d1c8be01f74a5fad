"""The environment in which a program is measured as it is where it is installed: compiled once, not in each process."""

import os

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
