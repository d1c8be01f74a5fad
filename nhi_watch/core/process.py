"""Names of processes that outlive them: who held something, and whether that process is still there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def name_of(number: int) -> tuple[str, ...]:
    """What names a process of this machine for good, on Linux; () elsewhere, and where it cannot be seen.

    The boot of its machine, the namespace of its number, the number, and when it began. A container may have the host's
    name and a process of the same number: the namespace distinguishes them.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        state, *_, began = Path(f"/proc/{number}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:20]
        return boot, str(Path("/proc/self/ns/pid").readlink()), str(number), "ended" if state in "ZX" else began
    except (OSError, ValueError):
        return ()


def has_ended(name: Sequence[str]) -> bool:
    """Whether a name is of a process of this machine, since it was started, that has ended.

    >>> has_ended(name_of(os.getpid())), has_ended(()), has_ended(("another boot", "", "1", "1"))
    (False, False, False)
    """
    own = name_of(os.getpid())
    if not own or tuple(name[:2]) != own[:2]:
        return False
    try:
        os.kill(int(name[2]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, and somebody else's
        return False
    return name_of(int(name[2]))[3:] not in ((), tuple(name[3:]))
