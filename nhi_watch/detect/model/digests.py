"""A model's files are those that its manifest tells."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nhi_watch.core.errors import ModelError


def checked(path: Path, raw: bytes, told: str) -> str:
    """The SHA-256 of a file's bytes, `told` by the manifest.

    Raises:
        ModelError: it is another.
    """
    digest = hashlib.sha256(raw).hexdigest()
    if digest != told:
        raise ModelError(
            f"{path}: SHA-256 is {digest[:12]}…, the manifest says {told[:12]}…; "
            "restore the file that belongs to the manifest, or train again"
        )
    return digest
