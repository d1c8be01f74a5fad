"""AWS identities of which a log knows the ARN alone, without the unique id that CloudTrail tells."""

from __future__ import annotations

from nhi_watch.core.event import Identity


def known_by_arn(identity: Identity) -> tuple[Identity, tuple[str, ...]]:
    """The identity, and the ARN among its links; where its id is made of the name, its name is no ARN.

    The ARN then is what links it to the identity that CloudTrail knows by its unique id.

    >>> identity = Identity("aws:111111111111:role:app", "arn:aws:iam::111111111111:role/app", "role", "aws", "", "")
    >>> known, links = known_by_arn(identity)
    >>> known.name, links
    ('role/app', ('arn:arn:aws:iam::111111111111:role/app',))
    >>> known_by_arn(identity._replace(id="aws:111111111111:role:AROAEXAMPLE"))[1]
    ()
    """
    arn = identity.name
    if not arn.startswith("arn:") or identity.id.rpartition(":")[2] != arn.rpartition("/")[2]:
        return identity, ()
    return identity._replace(name=arn.split(":", 5)[-1]), (f"arn:{arn}",)
