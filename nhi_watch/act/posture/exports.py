"""What clouds export about secrets and grants, in one form; a report that cannot be read says where it is wrong.

| option | made by |
|---|---|
| --credential-report | `aws iam get-credential-report` (its JSON, or the CSV in it) |
| --authorization-details | `aws iam get-account-authorization-details` |
| --entra-apps | Microsoft Graph `GET /applications` (with `$expand=owners`, if owners are to be judged) |
| --gcp-keys | `gcloud iam service-accounts keys list --format=json`, or the API's answer |
| --github-tokens | GitHub `GET /orgs/{org}/personal-access-tokens` or `…/credential-authorizations` |
| --role-assignments | `az role assignment list --all --output json` |
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core import timestamps
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.intake.shapes.json import parse

NEVER = -1
"""In a time: it never happened, or never will."""
LARGEST = 512 * 1024 * 1024
"""Bytes of the largest report that is read."""


class Secret(NamedTuple):
    """One long-lived secret, as its cloud tells it."""

    owner: str
    """The identity's ARN, address, application id or login."""
    name: str
    """What people call the identity."""
    provider: str
    account: str
    kind: str
    """The identity's kind, as in `Identity`."""
    credential: str
    """The secret's public id, or "" where the report tells none."""
    label: str
    """What people call the secret."""
    created: int
    """0: not told."""
    expires: int
    """NEVER: it does not; 0: not told."""
    last_used: int
    """NEVER: it was not used; 0: not told."""
    active: bool
    source: str
    """The report."""


class Grant(NamedTuple):
    """What an identity may do."""

    owner: str
    name: str
    provider: str
    account: str
    kind: str
    allowed: tuple[str, ...]
    """Patterns of actions, `service:Operation` with `*`, or names of roles."""
    roles: tuple[str, ...]
    """Names of policies or roles that grant it."""
    broad: str
    """Why the grant is broad by itself, or ""."""
    last_used: int
    source: str


class Ownership(NamedTuple):
    """An identity that its cloud says has nobody who owns it."""

    owner: str
    name: str
    provider: str
    kind: str
    source: str


class Exports(NamedTuple):
    """All that was exported."""

    secrets: tuple[Secret, ...] = ()
    grants: tuple[Grant, ...] = ()
    unowned: tuple[Ownership, ...] = ()
    given: tuple[str, ...] = ()
    """Names of the reports that were given."""

    def joined(self, other: Exports) -> Exports:
        """Both."""
        return Exports(
            self.secrets + other.secrets, self.grants + other.grants, self.unowned + other.unowned,
            self.given + other.given,
        )  # fmt: skip


Reader = Callable[[str], Exports]


def latest(told: Exports) -> int:
    """The latest second that the exports tell of; 0: they tell none."""
    times = (time for one in told.secrets for time in (one.created, one.last_used))
    return max([*times, *(one.last_used for one in told.grants), 0])


def load(path: Path, read: Reader) -> Exports:
    """What a reader makes of a file.

    Raises:
        InputError: the file cannot be read, or is not what the reader expects; it names file and place.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST // 1024 // 1024} MB; export one account at a time")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text at byte {error.start}; is it the report?") from error
    try:
        return read(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def parsed(text: str) -> Any:
    """The JSON of a report."""
    try:
        return parse(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON ({str(error)[:80]})") from error


def rows(plain: Any, *names: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(place, object) of the objects of a list, or of the list under the first of `names` that is there."""
    listed = plain
    if isinstance(plain, Mapping):
        listed = next((plain[name] for name in names if name in plain), None)
    if not isinstance(listed, list):
        raise InputError(f"expected a list of objects, or one under {' or '.join(map(repr, names))}")
    for number, item in enumerate(listed, 1):
        if not isinstance(item, Mapping):
            raise InputError(f"entry {number}: expected an object, found {type(item).__name__}")
        yield f"entry {number}", item


def told(item: Mapping[str, Any], name: str, where: str) -> str:
    """A text that must be there."""
    value = item.get(name)
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: {name!r} is missing or no text")
    return value[:512]


def optional(item: Mapping[str, Any], name: str) -> str:
    """A text, or ""."""
    value = item.get(name)
    return value[:512] if isinstance(value, str) else ""


def each(plain: Any) -> Iterator[Any]:
    """A list's items, or the one item."""
    return iter(plain if isinstance(plain, list) else [plain])


def moment(value: Any, where: str) -> int:
    """A time; 0 where none is told."""
    if value in (None, ""):
        return 0
    try:
        return timestamps.parse(value)
    except RejectError as error:
        raise InputError(f"{where}: {error.detail or error}") from error


# ---- AWS: the credential report

_NOT = ("N/A", "no_information", "not_supported", "")
_NEEDED = ("user", "arn", "access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date")


def credential_report(text: str) -> Exports:
    """AWS's credential report: a row a user, two access keys in each."""
    if text.lstrip().startswith("{"):
        content = parsed(text).get("Content")
        try:
            text = base64.b64decode(str(content), validate=True).decode("utf-8")
        except ValueError as error:
            raise InputError("'Content' is not base64 of the report") from error
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"line 1: not a credential report, it lacks the columns {', '.join(missing)}")
    try:
        secrets = [secret for row in reader for secret in _keys(row, f"line {reader.line_num}")]
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error
    return Exports(secrets=tuple(secrets), given=("credential report",))


def _keys(row: Mapping[str, str], where: str) -> Iterator[Secret]:
    arn, user = told(row, "arn", where), told(row, "user", where)
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    for number in ("1", "2"):
        active = (row.get(f"access_key_{number}_active") or "").lower()
        if active not in ("true", "false"):
            if number == "1":
                raise InputError(f"{where}: access_key_1_active is {active[:20]!r}, neither true nor false")
            continue
        rotated, used = (row.get(f"access_key_{number}_{name}") or "" for name in ("last_rotated", "last_used_date"))
        if active == "false" and rotated in _NOT:
            continue  # there is no such key
        yield Secret(
            owner=arn, name=user, provider="aws", account=account, kind="root" if arn.endswith(":root") else "user",
            credential="", label=f"access key {number}",
            created=0 if rotated in _NOT else moment(rotated, where), expires=NEVER,
            last_used=NEVER if used in _NOT else moment(used, where), active=active == "true",
            source="credential report",
        )  # fmt: skip
