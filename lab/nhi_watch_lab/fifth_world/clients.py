"""User agents and networks."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Tuple

from nhi_watch_lab.fifth_world.model import Chance
from nhi_watch_lab.tables import lists

# ---- user agents by client family. Machines, people and intruders draw from the same makers

PYTHONS = ["3.8.18", "3.9.18", "3.9.25", "3.10.14", "3.11.9", "3.12.3", "3.12.8", "3.13.1"]
BOTOS = [(34, 51), (34, 144), (35, 36), (35, 99), (36, 16), (37, 38), (38, 2), (39, 11), (40, 21), (40, 70), (42, 3)]
KERNELS = ["4.14.355-275.570.amzn2.x86_64", "5.10.230-223.885.amzn2.x86_64", "5.15.0-1071-aws", "6.1.115-126.197.amzn2023.x86_64", "6.1.119-129.201.amzn2023.aarch64", "6.8.0-1021-aws",
    "6.8.0-51-generic", "5.15.0-130-generic"]
GOS = ["1.21.13", "1.22.7", "1.22.10", "1.23.2", "1.23.4", "1.24.0"]
CHROMES = list(range(128, 146))


def boto3(rng: Chance) -> str:
    minor, patch = rng.choice(BOTOS)
    kernel, python = rng.choice(KERNELS), rng.choice(PYTHONS)
    arch = "aarch64" if "aarch64" in kernel else "x86_64"
    return (f"Boto3/1.{minor}.{patch} md/Botocore#1.{minor}.{patch} ua/2.0 os/linux#{kernel} md/arch#{arch} lang/python#{python} md/pyimpl#CPython "
            f"cfg/retry-mode#{rng.choice(['legacy', 'legacy', 'standard'])} Botocore/1.{minor}.{patch}")


def awscli(rng: Chance) -> str:
    version = rng.choice(["2.13.25", "2.15.30", "2.17.56", "2.18.7", "2.22.12", "2.24.4", "2.27.9", "2.31.2"])
    system = rng.choice(["os/linux#5.15.0-130-generic md/arch#x86_64", "os/linux#6.8.0-51-generic md/arch#x86_64", "os/macos#24.1.0 md/arch#arm64", "os/macos#23.6.0 md/arch#arm64",
        "os/windows#11 md/arch#amd64", "os/linux#6.1.119-129.201.amzn2023.x86_64 md/arch#x86_64"])
    python = rng.choice(["3.11.6", "3.11.8", "3.12.6", "3.13.4"])
    return (f"aws-cli/{version} md/awscrt#{rng.choice(['0.19.19', '0.21.2', '0.22.0', '0.23.8'])} ua/2.0 {system} lang/python#{python} md/pyimpl#CPython cfg/retry-mode#standard "
            f"md/installer#{rng.choice(['exe', 'source', 'exe'])} md/prompt#off")


def gosdk(rng: Chance) -> str:
    return f"aws-sdk-go-v2/1.{rng.randint(24, 39)}.{rng.randint(0, 6)} os/linux lang/go#{rng.choice(GOS)} md/GOOS#linux md/GOARCH#{rng.choice(['amd64', 'amd64', 'arm64'])}"


def javasdk(rng: Chance) -> str:
    return (f"aws-sdk-java/2.{rng.randint(20, 31)}.{rng.randint(0, 80)} md/io#sync md/http#Apache ua/2.1 os/Linux#{rng.choice(KERNELS)} "
            f"lang/java#{rng.choice(['11.0.25', '17.0.10', '17.0.13', '21.0.5'])} md/OpenJDK_64-Bit_Server_VM md/en_US cfg/retry-mode#legacy")


def jssdk(rng: Chance) -> str:
    return f"aws-sdk-js/3.{rng.randint(400, 840)}.0 ua/2.1 os/linux#{rng.choice(KERNELS)} lang/js md/nodejs#{rng.choice(['18.20.4', '20.11.1', '20.18.1', '22.12.0'])}"


def terraform(rng: Chance) -> str:
    return (f"APN/1.0 HashiCorp/1.0 Terraform/1.{rng.randint(5, 13)}.{rng.randint(0, 7)} (+https://www.terraform.io) terraform-provider-aws/5.{rng.randint(31, 99)}.0 "
            f"(+https://registry.terraform.io/providers/hashicorp/aws) "
            f"aws-sdk-go-v2/1.{rng.randint(24, 36)}.{rng.randint(0, 5)} os/linux lang/go#{rng.choice(GOS)} md/GOOS#linux md/GOARCH#amd64")


def browser(rng: Chance) -> str:
    system = rng.choice(["Macintosh; Intel Mac OS X 10_15_7", "Windows NT 10.0; Win64; x64", "Windows NT 10.0; Win64; x64", "X11; Linux x86_64"])
    if rng.chance(0.15):
        version = rng.randint(128, 144)
        return f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    chrome = rng.choice(CHROMES)
    tail = f" Edg/{chrome}.0.0.0" if "Windows" in system and rng.chance(0.4) else ""
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36{tail}"


def requests(rng: Chance) -> str:
    return f"python-requests/2.{rng.choice(['28.2', '31.0', '32.3', '32.4'])}"


def curl(rng: Chance) -> str:
    return f"curl/{rng.choice(['7.81.0', '7.88.1', '8.5.0', '8.7.1', '8.11.0'])}"


def gohttp(rng: Chance) -> str:
    return rng.choice(["Go-http-client/1.1", "Go-http-client/2.0"])


def git(rng: Chance) -> str:
    return f"git/{rng.choice(['2.34.1', '2.39.5', '2.40.1', '2.43.0', '2.47.1', '2.48.0'])}"


def ghcli(rng: Chance) -> str:
    return f"GitHub CLI {rng.choice(['2.40.1', '2.55.0', '2.62.0', '2.65.0', '2.74.2'])}"


def octokit(rng: Chance) -> str:
    return f"octokit-core.js/{rng.choice(['4.2.4', '5.2.0', '6.1.2'])} Node.js/{rng.choice(['18.20.4', '20.18.1', '22.12.0'])} (linux; x64)"


def kubectl(rng: Chance) -> str:
    minor = rng.randint(27, 33)
    return f"kubectl/v1.{minor}.{rng.randint(0, 9)} ({rng.choice(['linux/amd64', 'darwin/arm64', 'linux/amd64', 'windows/amd64'])}) kubernetes/{rng.hexs(7)}"


def k8sclient(rng: Chance) -> str:
    name = rng.choice(["controller", "manager", "operator", "agent", "provider"])
    return f"{name}/v0.{rng.randint(1, 30)}.{rng.randint(0, 9)} (linux/amd64) kubernetes/$Format"


def k8spython(rng: Chance) -> str:
    return f"OpenAPI-Generator/{rng.randint(24, 32)}.{rng.randint(1, 3)}.0/python"


def helm(rng: Chance) -> str:
    return f"Helm/3.{rng.randint(12, 18)}.{rng.randint(0, 5)}"


def gcloud(rng: Chance) -> str:
    return (f"google-cloud-sdk gcloud/{rng.randint(440, 530)}.0.0 "
            f"command/gcloud.{rng.choice(['projects.list', 'storage.ls', 'iam.service-accounts.list', 'compute.instances.list'])} invocation-id/{rng.hexs(32)} environment/None "
            f"environment-version/None "
            f"client-os/{rng.choice(['LINUX', 'MACOSX'])} client-os-ver/{rng.choice(['5.15.0', '6.8.0', '24.1.0'])} client-pltf-arch/x86_64 "
                    f"interactive/{rng.choice(['True', 'False'])} from-script/{rng.choice(['True', 'False'])} python/3.{rng.randint(9, 12)}.{rng.randint(0, 9)} "
                    f"term/{rng.choice(['xterm-256color', 'dumb'])}")


def gpython(rng: Chance) -> str:
    return f"gl-python/{rng.choice(PYTHONS)} grpc/1.{rng.randint(54, 68)}.{rng.randint(0, 2)} gax/2.{rng.randint(11, 24)}.0 gapic/{rng.randint(1, 3)}.{rng.randint(0, 27)}.0,gzip(gfe)"


def ggo(rng: Chance) -> str:
    return (f"google-api-go-client/0.5 Terraform/1.{rng.randint(5, 11)}.{rng.randint(0, 6)} (+https://www.terraform.io) Terraform-Plugin-SDK/2.{rng.randint(30, 36)}.0 "
            f"terraform-provider-google/{rng.choice(['5.44.2', '6.8.0', '6.14.1'])},gzip(gfe)")


def azcli(rng: Chance) -> str:
    return (f"AZURECLI/2.{rng.randint(55, 78)}.0 ({rng.choice(['DEB', 'RPM', 'HOMEBREW', 'DOCKER'])}) azsdk-python-core/1.{rng.randint(28, 35)}.0 "
            f"Python/3.{rng.randint(11, 13)}.{rng.randint(0, 8)} (Linux-5.15.0-1077-azure-x86_64-with-glibc2.35)")


def azsdk(rng: Chance) -> str:
    return f"azsdk-go-arm{rng.choice(['compute', 'network', 'storage', 'resources'])}/v{rng.randint(1, 6)}.{rng.randint(0, 3)}.0 (go{rng.choice(GOS)}; linux)"


def msgraph(rng: Chance) -> str:
    return rng.choice(["python-requests/2.31.0", f"msgraph-sdk-python/1.{rng.randint(2, 18)}.0", f"graph-dotnet-5.{rng.randint(40, 70)}.0", "Microsoft.Graph.Client/1.20"])


def oktasdk(rng: Chance) -> str:
    return rng.choice([f"okta-sdk-python/2.9.{rng.randint(3, 13)} python/3.11.{rng.randint(2, 9)} Linux/5.15.0",
        f"okta-sdk-golang/2.{rng.randint(16, 20)}.0 golang/go{rng.choice(GOS)} linux/amd64", "python-requests/2.31.0", f"okta-terraform/{rng.choice(['4.8.1', '4.11.0', '4.14.1'])}"])


SNOW = {"snowpython": lambda rng: f"PythonConnector {rng.choice(['3.0.4', '3.6.0', '3.10.1', '3.12.4', '3.13.2'])}",
    "snowjdbc": lambda rng: f"JDBC {rng.choice(['3.14.2', '3.16.1', '3.20.0', '3.22.0'])}",
        "snowgo": lambda rng: f"Go {rng.choice(['1.7.1', '1.10.1', '1.12.1', '1.13.0'])}", "snowodbc": lambda rng: f"ODBC {rng.choice(['2.25.12', '3.1.4', '3.5.0'])}",
            "snowui": lambda rng: f"Snowflake UI {rng.choice(['1.0', '2.0'])}",
        "snowsql": lambda rng: f"SnowSQL {rng.choice(['1.2.29', '1.3.2', '1.4.0'])}"}
MAKERS: Dict[str, Callable[[Chance], str]] = {
    "boto3": boto3, "awscli": awscli, "gosdk": gosdk, "javasdk": javasdk, "jssdk": jssdk, "terraform": terraform, "browser": browser, "requests": requests, "curl": curl, "gohttp": gohttp,
        "git": git, "ghcli": ghcli,
    "octokit": octokit, "kubectl": kubectl, "k8sclient": k8sclient, "k8spython": k8spython, "helm": helm, "gcloud": gcloud, "gpython": gpython, "ggo": ggo, "azcli": azcli, "azsdk": azsdk,
        "msgraph": msgraph, "oktasdk": oktasdk, "vault": gohttp}
MAKERS.update(SNOW)
LOOSE: Dict[str, List[Tuple[str, float]]] = {
    "aws": [("awscli", 4), ("boto3", 4), ("gosdk", 1), ("terraform", 0.3), ("jssdk", 0.5), ("javasdk", 0.3)], "gcp": [("gcloud", 4), ("gpython", 3), ("ggo", 0.4)], "azure": [("azcli", 4),
        ("azsdk", 1), ("requests", 1)],
    "entra": [("azcli", 2), ("msgraph", 3), ("requests", 2)], "m365": [("msgraph", 3), ("requests", 2)], "github": [("git", 3), ("requests", 2), ("ghcli", 2), ("curl", 1), ("octokit", 1)],
    "kubernetes": [("kubectl", 4), ("curl", 1), ("k8spython", 2), ("helm", 0.3)], "okta": [("oktasdk", 2), ("requests", 2), ("curl", 1)], "snowflake": [("snowpython", 4), ("snowsql", 1),
        ("snowjdbc", 1), ("snowgo", 0.5)],
    "vault": [("gohttp", 3), ("curl", 2), ("requests", 1)]}


def make(family: str, rng: Chance) -> str:
    return MAKERS[family](rng)


def loose(product: str, rng: Chance) -> str:
    """The client of somebody who is not bound to one: newcomers, people at a shell, intruders."""
    return make(rng.pick(LOOSE[product]), rng)


# ---- address space: office, cloud, hosting, VPN and homes. Blocks are drawn per tenant from public-looking /16s

POOLS: Dict[str, List[str]] = lists(__file__, "tables.json/pools")
CITIES = [("Frankfurt am Main", "Hesse", "DE", 50.11, 8.68), ("Dublin", "Dublin City", "IE", 53.34, -6.26), ("London", "England", "GB", 51.5, -0.12), ("Ashburn", "Virginia", "US", 39.04, -77.48),
          ("Amsterdam", "North Holland", "NL", 52.37, 4.89), ("Seattle", "Washington", "US", 47.6, -122.33), ("Paris", "Ile-de-France", "FR", 48.85, 2.35), ("Singapore", "", "SG", 1.35, 103.81),
          ("Warsaw", "Mazovia", "PL", 52.22, 21.01), ("Bengaluru", "Karnataka", "IN", 12.97, 77.59), ("Vienna", "Vienna", "AT", 48.2, 16.37), ("Toronto", "Ontario", "CA", 43.65, -79.38)]
ASNS = {"aws": (16509, "amazon.com inc."), "azure": (8075, "microsoft corporation"), "gcp": (15169, "google llc"), "runner": (8075, "microsoft corporation"), "hosting": (14061,
    "digitalocean llc"), "vpn": (212238, "datacamp limited"),
        "home": (3320, "deutsche telekom ag"), "office": (6805, "telefonica germany"), "private": (64512, "private")}


def kind_of(ip: str) -> str:
    front = ".".join(ip.split(".")[:2])
    for name, blocks in POOLS.items():
        if front in blocks:
            return name
    return "private"


def city_of(ip: str) -> Tuple[Any, ...]:
    """One address block always maps to the same town."""
    parts = [int(part) for part in ip.split(".")] if ip[:1].isdigit() else [0, 0]
    return CITIES[(parts[0] * 7 + parts[1] * 3) % len(CITIES)]


class Network:
    """The address plan of one tenant."""

    def __init__(self, rng: Chance) -> None:
        self.offices = [self.address(rng, "office") for _ in range(rng.randint(1, 4))]
        self.vpn_exits = [self.address(rng, rng.pick([("office", 2), ("aws", 1), ("vpn", 1)])) for _ in range(rng.randint(1, 3))]
        self.nats = {pool: [self.address(rng, pool) for _ in range(rng.randint(1, 6))] for pool in ("aws", "azure", "gcp")}
        self.runner_blocks = rng.sample(POOLS["runner"], rng.randint(4, len(POOLS["runner"])))
        self.vpcs = [f"10.{rng.randint(0, 250)}" for _ in range(rng.randint(1, 5))]
        self.vendor_blocks = rng.sample(POOLS["hosting"], 6) + rng.sample(POOLS["aws"], 4) + rng.sample(POOLS["gcp"], 3)
        self.endpoint = "vpce-" + rng.hexs(17)
        self.datacentre = [self.address(rng, "office") for _ in range(rng.randint(1, 3))]

    def address(self, rng: Chance, pool: str) -> str:
        front = rng.choice(POOLS[pool])
        return f"{front}.{rng.randint(0, 255)}.{rng.randint(2, 253)}"

    def draw(self, rng: Chance, net: str) -> str:
        """One address of a named part of the tenant's network."""
        if net in ("vpc", "pod"):
            return f"{rng.choice(self.vpcs)}.{rng.randint(0, 63)}.{rng.randint(4, 250)}"
        if net == "public":
            return self.address(rng, "aws")
        if net in ("nat", "nat-aws"):
            return rng.choice(self.nats["aws"])
        if net == "nat-azure":
            return rng.choice(self.nats["azure"])
        if net == "nat-gcp":
            return rng.choice(self.nats["gcp"])
        if net == "runner":
            return f"{rng.choice(self.runner_blocks)}.{rng.randint(0, 255)}.{rng.randint(2, 253)}"
        if net == "vendor":
            return f"{rng.choice(self.vendor_blocks)}.{rng.randint(0, 255)}.{rng.randint(2, 253)}"
        if net == "dc":
            return rng.choice(self.datacentre)
        if net == "office":
            return rng.choice(self.offices)
        if net == "corpvpn":
            return rng.choice(self.vpn_exits)
        return self.address(rng, net)
