"""The AWS calls of this world: `service Name,Name kind params [| response]`, kinds as in model.Op."""
from typing import Dict

from .model import Op
from nhi_watch_lab.tables import text

TEXT = text(__file__, "aws_ops.txt")


def catalogue() -> Dict[str, Op]:
    found: Dict[str, Op] = {}
    for line in TEXT.strip().splitlines():
        head, _, reply = line.partition(" | ")
        service, names, kind, *params = head.split(" ", 3)
        for name in names.split(","):
            key = f"{service}:{name.replace('20150331v2', '').replace('20150331', '')}"
            found[key] = Op(key, "cloudtrail", service, name, kind, params[0].strip() if params else "", reply.strip())
    return found
