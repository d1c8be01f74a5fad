"""Readers of the exports of Entra, Google Cloud, GitHub and Azure."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from nhi_watch.context.assets import Assets
from nhi_watch.core import timestamps
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.event import Identity
from nhi_watch.detect.history import History, Life
from nhi_watch.intake.shapes.json import parse
from nhi_watch.state.baseline import Profile

# ---- exports
#
# What clouds export about secrets and grants, in one form; a report that cannot be read says where it is wrong.
#
# | option | made by |
# |---|---|
# | --credential-report | `aws iam get-credential-report` (its JSON, or the CSV in it) |
# | --authorization-details | `aws iam get-account-authorization-details` |
# | --entra-apps | Microsoft Graph `GET /applications` (with `$expand=owners`, if owners are to be judged) |
# | --gcp-keys | `gcloud iam service-accounts keys list --format=json`, or the API's answer |
# | --github-tokens | GitHub `GET /orgs/{org}/personal-access-tokens` or `…/credential-authorizations` |
# | --role-assignments | `az role assignment list --all --output json` |


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


# ---- clouds


FAR = 4_000_000_000
"""Later than this (the year 2096) means never."""


def entra_apps(text: str) -> Exports:
    """Applications with their secrets and certificates."""
    secrets: list[Secret] = []
    unowned: list[Ownership] = []
    for where, app in rows(parsed(text), "value"):
        app_id, name = told(app, "appId", where), optional(app, "displayName") or optional(app, "appId")
        if app.get("owners") == []:
            unowned.append(Ownership(app_id, name, "entra", "app", "Entra applications"))
        for kind, label in (("passwordCredentials", "secret"), ("keyCredentials", "certificate")):
            listed = app.get(kind)
            for place, one in rows(listed, kind) if listed else ():
                secrets.append(_app_secret((app_id, name), label, one, f"{where}, {kind} {place}"))
    return Exports(secrets=tuple(secrets), unowned=tuple(unowned), given=("Entra applications",))


def _app_secret(app: tuple[str, str], label: str, one: Mapping[str, Any], where: str) -> Secret:
    app_id, name = app
    return Secret(
        owner=app_id, name=name, provider="entra", account="", kind="app", credential=optional(one, "keyId").lower(),
        label=f"{label} {optional(one, 'displayName') or optional(one, 'keyId')[:8]}".strip(),
        created=moment(one.get("startDateTime"), where), expires=_end(one.get("endDateTime"), where), last_used=0,
        active=True, source="Entra applications",
    )  # fmt: skip


def _end(value: Any, where: str) -> int:
    """An end; one in the far future, or none where the field is there, is never."""
    if value is None:
        return NEVER
    end = moment(value, where)
    return NEVER if end > FAR else end


def gcp_keys(text: str) -> Exports:
    """Keys of service accounts; those that Google itself manages are no secrets of anybody."""
    secrets = [
        _gcp_key(key, where)
        for where, key in rows(parsed(text), "keys")
        if optional(key, "keyType") != "SYSTEM_MANAGED"
    ]
    return Exports(secrets=tuple(secrets), given=("Google Cloud keys",))


def _gcp_key(key: Mapping[str, Any], where: str) -> Secret:
    name = told(key, "name", where)
    account, found, credential = name.partition("/keys/")
    address = account.rpartition("/serviceAccounts/")[2]
    if not found or "@" not in address:
        raise InputError(f"{where}: 'name' is {name[:60]!r}, expected projects/P/serviceAccounts/ADDRESS/keys/ID")
    project = account.partition("projects/")[2].partition("/")[0]
    if project == "-":
        project = address.partition("@")[2].partition(".")[0]
    return Secret(
        owner=address.lower(), name=address.lower(), provider="gcp", account=project, kind="service_account",
        credential=credential, label=f"key {credential[:12]}", created=moment(key.get("validAfterTime"), where),
        expires=_end(key.get("validBeforeTime"), where), last_used=0, active=key.get("disabled") is not True,
        source="Google Cloud keys",
    )  # fmt: skip


def github_tokens(text: str) -> Exports:
    """Fine-grained tokens of an organisation, or the credentials that people authorised for it."""
    secrets = [_github_token(token, where) for where, token in rows(parsed(text), "tokens", "items")]
    return Exports(secrets=tuple(secrets), given=("GitHub tokens",))


def _github_token(token: Mapping[str, Any], where: str) -> Secret:
    if "credential_id" in token:
        login, number, label = told(token, "login", where), token["credential_id"], optional(token, "credential_type")
        times = ("credential_authorized_at", "authorized_credential_expires_at", "credential_accessed_at")
    elif "token_id" in token or "token_expires_at" in token:
        owner = token.get("owner")
        login = told(owner, "login", where) if isinstance(owner, Mapping) else ""
        number, label = token.get("token_id") or token.get("id"), optional(token, "token_name")
        times = ("access_granted_at", "token_expires_at", "token_last_used_at")
    else:
        raise InputError(f"{where}: neither a fine-grained token (token_id) nor an authorisation (credential_id)")
    created, expires, used = (token.get(name) for name in times)
    return Secret(
        owner=login, name=f"{label or 'token'} of {login}"[:512], provider="github", account="", kind="token",
        credential=f"{number}"[:128], label=label or "token", created=moment(created, where),
        expires=_end(expires, where), last_used=moment(used, where) or NEVER,
        active=token.get("token_expired") is not True, source="GitHub tokens",
    )  # fmt: skip


_BROAD = {"owner": "Owner", "contributor": "Contributor", "user access administrator": "User Access Administrator",
          "role based access control administrator": "Role Based Access Control Administrator"}  # fmt: skip


def role_assignments(text: str) -> Exports:
    """Azure's role assignments of service principals, one grant a principal."""
    found: dict[str, list[tuple[str, str]]] = {}
    names: dict[str, str] = {}
    for where, one in rows(parsed(text), "value"):
        inner = one.get("properties")
        item = inner if isinstance(inner, Mapping) else one
        if optional(item, "principalType") not in ("ServicePrincipal", ""):
            continue
        principal = told(item, "principalId", where).lower()
        role = optional(item, "roleDefinitionName") or told(item, "roleDefinitionId", where).rpartition("/")[2]
        found.setdefault(principal, []).append((role, told(item, "scope", where)))
        names[principal] = optional(item, "principalName") or principal
    grants = tuple(_azure_grant(p, names[p], sorted(roles)) for p, roles in sorted(found.items()))
    return Exports(grants=grants, given=("Azure role assignments",))


def _azure_grant(principal: str, name: str, roles: list[tuple[str, str]]) -> Grant:
    broad = next((f"{role} on {scope}"[:200] for role, scope in roles if role.lower() in _BROAD and _wide(scope)), "")
    named = tuple(dict.fromkeys(role for role, _ in roles))
    return Grant(principal, name, "entra", "", "sp", (), named, broad, 0, "Azure role assignments")


def _wide(scope: str) -> bool:
    """Whether a scope is a whole subscription or more.

    >>> _wide("/subscriptions/1"), _wide("/subscriptions/1/resourceGroups/a"), _wide("/")
    (True, False, True)
    """
    return len([part for part in scope.split("/") if part]) <= 2 or "managementGroups" in scope


# ---- matching
#
# What checks look at: histories, exports and thresholds; and which export belongs to which identity.


_NOT_MACHINES = frozenset({"service", "anonymous", "identity_center", "account", "credential", "host_user"})


class Limits(NamedTuple):
    """From when on something is a finding."""

    secret_days: int = 90
    """Age of a long-lived secret."""
    idle_days: int = 90
    """Silence of an identity, a secret or a call."""


class Scene(NamedTuple):
    """All that the checks look at."""

    history: History
    exports: Exports
    assets: Assets
    limits: Limits
    now: int
    by_name: dict[str, Life]
    """Names and ids, in lower case → life; of several with one name the latest, since it took the name over."""

    @property
    def today(self) -> int:
        """The day of `now`."""
        return self.now // 86_400

    def machines(self) -> Iterator[Life]:
        """Lives of non-human identities that exist as far as the logs tell."""
        lives = (life for life in self.history.lives.values() if is_machine(life) and not is_gone(life))
        return (life for life in lives if not self._made_again(life))

    def _made_again(self, life: Life) -> bool:
        """Whether its ARN belongs to somebody else by now: it was deleted and made again under the same name."""
        identity = life.identity
        return identity.name.startswith("arn:") and self.by_name[identity.name.lower()] is not life

    def life_of(self, told: Union[Secret, Grant, Ownership]) -> Optional[Life]:
        """The life that an export speaks of."""
        return self.by_name.get(told.owner.lower())

    def identity_of(self, told: Union[Secret, Grant, Ownership]) -> Identity:
        """The identity of an export: the one of the logs, or one made of what the export tells."""
        life = self.life_of(told)
        if life is not None:
            return life.identity
        account = "" if isinstance(told, Ownership) else told.account
        unique = told.owner.rpartition("/")[2] if told.provider == "aws" else told.owner
        name = told.owner if told.provider == "aws" else told.name
        return Identity(f"{told.provider}:{account}:{told.kind}:{unique}"[:512], name, told.kind, told.provider,
                        account, "")  # fmt: skip


def scene(history: History, exports: Exports, assets: Assets, limits: Limits, now: int) -> Scene:
    """The scene of a look at `now` (0: the latest second in the logs)."""
    index: dict[str, Life] = {}
    for name, life in sorted(history.lives.items(), key=lambda pair: (-pair[1].last, pair[0])):
        for key in (life.identity.name.lower(), name.rpartition(":")[2].lower()):
            index.setdefault(key, life)
    return Scene(history, exports, assets, limits, max(now, history.now), index)


def is_machine(life: Life) -> bool:
    """Whether an identity is non-human: not named as a person's, and not mostly used by hand."""
    identity = life.identity
    return identity.kind not in _NOT_MACHINES and not identity.human and human_share(life.profile) <= 0.5


def is_gone(life: Life) -> bool:
    """Whether it was deleted and did nothing since."""
    ends = [change.time for change in life.done if change.what == "deleted"]
    return bool(ends) and life.last <= max(ends)


def human_share(profile: Profile) -> float:
    """Share of active days on which a person was seen behind it."""
    seen = profile.dimension("human").values.get("yes")
    return seen.days / max(1, profile.days) if seen else 0.0

