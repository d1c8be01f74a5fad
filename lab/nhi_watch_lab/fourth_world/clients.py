"""User agents. {cmd} and {api} are filled for each call, as the real tools do."""
from typing import Dict, List

from .dice import Dice
from nhi_watch_lab.tables import lists

AWS: Dict[str, List[str]] = lists(__file__, "tables.json/aws")
BROWSERS = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{m}.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{m}.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{m} Safari/605.1.15",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{m}.0.0.0 Safari/537.36 Edg/14{m}.0.0.0",
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:14{m}.0) Gecko/20100101 Firefox/14{m}.0"]
OTHER: Dict[str, Dict[str, List[str]]] = {
    "kubernetes": {"go": ["{tool}/v1.{m}.{q} (linux/amd64) kubernetes/{sha}", "{tool}/v0.0.0 (linux/amd64) kubernetes/$Format"], "laptop": ["kubectl/v1.3{m}.{q} (darwin/arm64) kubernetes/{sha}", "k9s/v0.32.{q} (linux/amd64) kubernetes/{sha}"],
                   "evil": ["kubectl/v1.2{m}.{q} (linux/amd64) kubernetes/{sha}", "curl/8.{m}.0", "python-requests/2.31.0", "peirates/v0.0.0 (linux/amd64) kubernetes/$Format"]},
    "gcp": {"go": ["google-api-go-client/0.5 {tool},gzip(gfe)", "gl-python/3.1{m}.{q} grpc/1.6{m}.1 gax/2.1{m}.{q} gapic/3.{m}.0 gccl/3.{m}.0,gzip(gfe)", "gcloud-java/2.3{m}.0 gl-java/17,gzip(gfe)", "Terraform/1.{m}.{q} (+https://www.terraform.io) terraform-provider-google/5.{m}.0,gzip(gfe)"],
            "laptop": ["google-cloud-sdk gcloud/5{m}0.0.0 command/gcloud.projects invocation-id/{sid} environment/None environment-version/None client-os/MACOSX client-os-ver/24.1.0 client-pltf-arch/arm interactive/True from-script/False python/3.11.9 term/xterm-256color,gzip(gfe)"],
            "evil": ["google-cloud-sdk gcloud/4{m}0.0.0 command/gcloud.iam invocation-id/{sid} environment/None client-os/LINUX client-os-ver/6.{m}.0 client-pltf-arch/x86_64 interactive/True python/3.11.2 term/xterm-256color,gzip(gfe)", "python-requests/2.3{m}.0,gzip(gfe)", "(gzip),gzip(gfe)"]},
    "github": {"go": ["git/2.4{m}.{q}", "go-github/v6{m}", "PyGithub/Python", "octokit-core.js/6.{m}.0 Node.js/20", "GitHubActionsRunner-linux-x64/2.32{m}.0"], "laptop": ["git/2.4{m}.{q} (Apple Git-154)", "GitHub CLI 2.6{m}.0"],
               "evil": ["python-requests/2.3{m}.0", "git/2.3{m}.{q}", "TruffleHog", "curl/8.{m}.0", "octokit-rest.js/20.{m}.0"]},
    "okta": {"go": ["okta-sdk-golang/2.{p}.{q} golang/go1.2{m} linux/amd64", "okta-sdk-java/1{m}.0.0 java/17 Linux/5.10", "python-requests/2.3{m}.0", "Workday-SCIM/2.{m}", "okta-sdk-python/2.{q}.{m} python/3.1{m} Linux/5.15"], "laptop": BROWSERS, "evil": ["python-requests/2.28.{q}", "curl/7.8{m}.0", BROWSERS[0], "Go-http-client/2.0"]},
    "entra": {"go": [""], "laptop": BROWSERS, "evil": ["", "python-requests/2.3{m}.0", "azurehound/v2.{m}.{q}"]},
    "m365": {"go": ["Client=REST;Client=RESTSystem;;", "Client=WebServices;ExchangeServicesClient/15.0{m};", "NONISV|SharePointPnP|PnPCore/1.1{m}", "ISV|{tool}|Backup/{m}.{q}"], "laptop": BROWSERS, "evil": ["Client=REST;Client=RESTSystem;;", "python-requests/2.3{m}.0", "rclone/v1.6{m}.{q}"]},
    "snowflake": {"go": ["JDBC_DRIVER 3.1{m}.{q}", "PYTHON_DRIVER 3.{m}.{q}", "ODBC_DRIVER 3.{m}.{q}", "GO 1.1{m}.{q}", "SPARK_CONNECTOR 2.1{m}.0"], "laptop": ["SNOWFLAKE_UI 1.1.{q}", "PYTHON_DRIVER 3.{m}.{q}", "SNOWSQL 1.3.{q}"], "evil": ["PYTHON_DRIVER 2.{m}.{q}", "JDBC_DRIVER 3.6.{m}", "OTHER rapeflake", "NODEJS_DRIVER 1.{m}.{q}", "OTHER DBeaver_24.{m}"]},
    "vault": {"go": ["Go-http-client/1.1"], "laptop": ["Vault/1.1{m}.{q} (+https://www.vaultproject.io/; go1.2{m})"], "evil": ["curl/8.{m}.0", "python-hvac/2.{m}"]},
}
KERNELS = ["5.10.{p}-2{p}.amzn2.x86_64", "6.1.{p}-1{p}.amzn2023.x86_64", "5.15.0-1{p}-aws", "4.14.{p}-2{p}.amzn2.x86_64"]


def client(dice: Dice, product: str, family: str, tool: str = "") -> str:
    """One concrete client: its versions are drawn once and then stay."""
    texts = AWS[family] if product == "cloudtrail" else OTHER[product].get(family, OTHER[product]["go"])
    return versions(dice, dice.early(texts) if family == "evil" else dice.pick(texts), tool)


def browser(dice: Dice) -> str:
    return versions(dice, dice.pick(BROWSERS))


def versions(dice: Dice, text: str, tool: str = "") -> str:
    text = text.replace("{k}", dice.pick(KERNELS)).replace("{tool}", tool or "app").replace("{sid}", dice.hexes(12)).replace("{sha}", dice.hexes(7))
    return text.replace("{p}", str(dice.randint(20, 190))).replace("{m}", str(dice.randint(0, 4))).replace("{q}", str(dice.randint(0, 19)))


def upgrade(dice: Dice, agent: str) -> str:
    """The same client some versions later: numbers after the first dot move."""
    parts = agent.split(".")
    for i in range(1, len(parts)):
        digits = parts[i].split(" ")[0].split("/")[0].split("-")[0]
        if digits.isdigit() and dice.chance(0.7):
            parts[i] = str(int(digits) + dice.randint(1, 9)) + parts[i][len(digits):]
    return ".".join(parts)
