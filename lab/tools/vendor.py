"""The libraries of others that ship in the Splunk app's lib/: splunk-sdk and the least of what it imports.

They are taken from the environment in which the app is built, where requirements.lock pins them with hashes. splunk-sdk
2.1.1 is the newest line that runs on both of Splunk's Pythons, 3.9 and 3.13: 3.x needs 3.13.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path, PurePosixPath

FOLDER = "lib"
LEFT_OUT = ("splunklib/modularinput/", "splunklib/six.py")
"""Of splunk-sdk: what no command of ours imports."""
VERSION_OF = ("__init__.py", "_structures.py", "version.py")
"""Of packaging: what deprecation asks for."""
LIBRARIES = {
    "splunk-sdk": ("2.1.1", "Apache-2.0"),
    "deprecation": ("2.1.0", "Apache-2.0"),
    "packaging": ("26.3", "Apache-2.0 OR BSD-2-Clause"),
}
"""Distribution → the version that was looked at, and its licence."""


def contents() -> dict[str, bytes]:
    """Path inside the app → bytes of every vendored file.

    Raises:
        ValueError: the environment has another version, or none: `make setup` makes it from the lock file.
    """
    result: dict[str, bytes] = {}
    for name, (wanted, _) in LIBRARIES.items():
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            raise ValueError(f"the app ships {name}=={wanted}, which is not installed here: run make setup") from error
        if distribution.version != wanted:
            raise ValueError(f"the app ships {name}=={wanted}, here is {distribution.version}: run make setup")
        for path in distribution.files or ():
            if _ships(PurePosixPath(path.as_posix())):
                result[f"{FOLDER}/{path.as_posix()}"] = Path(path.locate()).read_bytes()
    return dict(sorted(result.items()))


def _ships(path: PurePosixPath) -> bool:
    if path.suffix != ".py" or path.parts[0] == "..":
        return False
    if path.parts[0] == "packaging":
        return path.parts[1:] in {(name,) for name in VERSION_OF}
    return not str(path).startswith(LEFT_OUT)
