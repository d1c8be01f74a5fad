"""Catalogue of AWS calls, second half: identity, storage, data, security, cost, models (same columns)."""
from nhi_watch_lab.tables import text

IDENTITY = text(__file__, "ops_aws2_identity.txt")
STORAGE = text(__file__, "ops_aws2_storage.txt")
SECURITY = text(__file__, "ops_aws2_security.txt")
