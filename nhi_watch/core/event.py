"""Event: one log record, normalized once on intake; and the Identity that acts in it."""

from __future__ import annotations

from typing import NamedTuple, Optional

TIMED_BY_HOSTS = "endpoint"
"""The provider whose logs are timed by the host that they describe, which may be compromised."""


class Identity(NamedTuple):
    """Who really acts. Instances are shared between events, so they are cheap."""

    id: str
    """Immutable: provider, account, kind and the provider's own id where there is one, else its name,
    as in `aws:111111111111:role:AROAEXAMPLE`."""
    name: str
    """What people call it: an ARN, a subject, an app name."""
    kind: str
    """What the log calls it, in one word: role, user, app, token, service account… `service` and `anonymous` cannot be
    stolen, and are not watched."""
    provider: str
    account: str
    human: str
    """Evidence that the identity itself stands for a person (`sso_role`, `root`, `identity_center`…), or ""."""

    @property
    def is_person(self) -> bool:
        """Whether it stands for a person: by its log, or a user who goes by an address of mail.

        >>> Identity("openai:x:user:1", "ann@example.com", "user", "openai", "x", "").is_person
        True
        >>> Identity("snowflake:x:user:1", "ETL_LOADER_SVC", "user", "snowflake", "x", "").is_person
        False
        """
        return bool(self.human) or (self.kind == "user" and "@" in self.name)


class Event(NamedTuple):
    """One record in the terms that every later stage uses. Empty text, the default, means *not in the log*."""

    time: int
    """Event time, seconds since the epoch, UTC."""
    provider: str
    """aws, …"""
    account: str
    """Where it happened (recipient account, tenant, organisation)."""
    identity: Identity
    credential: str
    """The long-lived credential's id (an access key `AKIA…`), else "": temporary ones are sessions."""
    credential_type: str
    """key | session | service | web_identity | console | none"""
    session: str
    """The temporary credential's or session's id, else ""."""
    action: str
    """service:Operation, e.g. `s3:GetObject`."""
    service: str
    """e.g. `s3`: the part before the colon."""
    access: str
    """list | read | write | tagging | permissions | cost | unknown"""
    outcome: str
    """success | denied | failure: denied is a refusal for lack of permission."""
    error: str = ""
    """The provider's error code, or ""."""
    address: str = ""
    """Source address as logged: an IP address, a service's name, or "". Shown, not scored."""
    network: str = ""
    """The scored form of the address, see `context/networks.py`."""
    agent: str = ""
    """User-agent family without versions, e.g. `boto3`."""
    region: str = ""
    target: str = ""
    """What the action touched, short (a bucket, a role, a secret), or ""."""
    target_class: str = ""
    """own | foreign | "": whether the target belongs to the identity's own account."""
    traits: tuple[str, ...] = ()
    """Sorted facts from deep inside the record that signals need, e.g. `public`, `mfa`."""
    issued: str = ""
    """Id of a credential that this record handed out (an assumed role's session key, a new access key), or ""."""
    record_id: str = ""
    """The log's own id of the record; records are deduplicated by it."""
    links: tuple[str, ...] = ()
    """Names, `kind:value`, by which other logs know the same actor, so that `detect/linking.py` can join them: `app:`
    and `sp:` (Entra's application and object id), `oidc:` (a token's subject), `arn:`, `token:` (a token's hash or id),
    `host:` (an address of the machine that it runs on),
    `name:` (provider and bare name, where a log knows no more). The same for every record of a shape. And `user:` with
    the person on whose behalf an app acts, as that log names people (BEHALF): delegation, which joins nobody."""
    about: Optional[Identity] = None
    """The non-human identity that this was done to (an app that got a consent or a secret), if that is another one."""


BEHALF = "user:"
"""How a link begins that names on whose behalf an app acts."""
AS = BEHALF + "as:"
"""How one begins that names whom, or which group, an identity impersonates."""
HANDS = frozenset({"console", "mfa", "browser"})
"""Traits of what a person does."""
DONE_TO = "done_to_it"
"""Trait of what others did to an identity."""


def done_to(event: Event) -> Event:
    """The same record as part of the story of the identity that it was done to; the actor is its target."""
    whom = event.about
    assert whom is not None, "used only for calls that act on another identity"
    name = f"{whom.provider}:{whom.id.rpartition(':')[2]}"
    return event._replace(
        identity=whom,
        account=whom.account or event.account,
        credential="",
        credential_type="none",
        session="",
        agent="",
        network="",
        address="",
        region="",
        target=event.identity.name,
        target_class="",
        traits=tuple(sorted({*event.traits, DONE_TO} - HANDS)),
        issued="",
        about=None,
        links=(f"about:{name}", *event.links),
    )
