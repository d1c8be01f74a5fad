"""What a role of authorize.conf may do: which indexes it sees, which lookups metadata lets it write.

https://docs.splunk.com/Documentation/Splunk/9.3.1/Admin/Authorizeconf
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

from layout import ROOT
from splunk_conf import conf

_ACCESS = re.compile(r"^\[([^\]]*)\]\naccess = read : \[ ([^\]]*) \], write : \[ ([^\]]*) \]$", re.MULTILINE)


class Role(NamedTuple):
    """A role with all that it inherits; Splunk's own `user` sees no index of ours."""

    name: str
    indexes: frozenset[str]

    def sees(self, index: str) -> bool:
        """Whether its searches find events of an index, and `collect` may write there."""
        return any(fnmatchcase(index, pattern) for pattern in self.indexes)

    def may_write(self, lookup: str) -> bool:
        """Whether it may write a lookup, by metadata/default.meta."""
        meta = (ROOT / "metadata" / "default.meta").read_text("utf-8")
        write_roles = {place: write for place, _, write in _ACCESS.findall(meta)}
        writers = (
            write_roles.get(f"collections/{lookup}") or write_roles.get(f"lookups/{lookup}") or write_roles["lookups"]
        )
        return bool({self.name, *_imports(self.name)} & set(writers.split(", ")))


def _imports(name: str) -> list[str]:
    roles = conf("authorize.conf")
    text = roles[f"role_{name}"].get("importRoles", "") if f"role_{name}" in roles else ""
    result = [each for each in text.split(";") if each]
    return result + [more for each in result for more in _imports(each)]


def role(name: str) -> Role:
    """A role of the app."""
    roles = conf("authorize.conf")
    mine = [roles[f"role_{each}"] for each in (name, *_imports(name)) if f"role_{each}" in roles]
    allowed = {index for each in mine for index in each.get("srchIndexesAllowed", "").split(";") if index}
    return Role(name, frozenset(allowed))
