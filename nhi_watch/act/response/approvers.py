"""Naming an approver in a policy of one's own, in one go: the key, and the lines that the policy needs."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from nhi_watch.act.response.approval import new_key
from nhi_watch.act.response.policy import SHIPPED, Policy, demand, load
from nhi_watch.core.errors import InputError


def add_approver(path: Path, who: tuple[str, str], key: Path, passphrase: str) -> Policy:
    """Make a key for an approver (name, role), and name them in a policy, made as shipped where there is none.

    Raises:
        InputError: the policy or the name is wrong, or the key's file is there already; nothing is changed then.
    """
    text = (path if path.exists() else SHIPPED).read_text("utf-8")
    taken = path.exists() and any(one.name == who[0] for one in load(path).approvers)
    demand(not taken, f"{path}", f'approver "{who[0][:60]}" is named already')
    demand(bool(who[0].strip()) and len(who[0]) <= 100, "--by", "give a name of at most 100 characters")
    known = sorted({role for rule in load(path if path.exists() else SHIPPED).rules for role in rule.approvers})
    demand(who[1] in known, f"--role {who[1][:40]!r}", f"the policy's rules know: {', '.join(known)}")
    # A basic string of TOML is spelled like one of JSON.
    name, role = (json.dumps(one, ensure_ascii=False) for one in who)
    public = new_key(key, passphrase)
    _put(path, f'{text.rstrip()}\n\n[[approver]]\nname = {name}\nroles = [{role}]\nkey = "{public}"\n')
    return load(path)


def _put(path: Path, text: str) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        load(Path(name))  # before it counts: what TOML cannot spell must not spoil the policy
        Path(name).replace(path)
    except InputError as error:
        Path(name).unlink()
        raise InputError(f"{path}: {str(error).partition(': ')[2]}") from error
    except OSError as error:
        raise InputError(f"{path}: the policy cannot be written ({error.strerror})") from error
