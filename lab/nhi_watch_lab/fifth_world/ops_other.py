"""Catalogues of the other products: key | flags | parameters | response or resource | note."""
from nhi_watch_lab.tables import text

GCP = text(__file__, "ops_other_gcp.txt")
AZURE = text(__file__, "ops_other_azure.txt")
ENTRA = text(__file__, "ops_other_entra.txt")
M365 = text(__file__, "ops_other_m365.txt")
GITHUB = text(__file__, "ops_other_github.txt")
OKTA = text(__file__, "ops_other_okta.txt")
SNOWFLAKE = text(__file__, "ops_other_snowflake.txt")
VAULT = text(__file__, "ops_other_vault.txt")
