# ruff: noqa: E501
"""User agents. People, vendors, machines and attackers draw from the same generators."""
from __future__ import annotations

from random import Random

from nhi_watch_lab.second_world.ids import uuid4, weighted

KERNELS = ["6.1.128-136.201.amzn2023.x86_64", "5.10.234-225.910.amzn2.x86_64", "6.8.0-1021-aws",
           "5.15.0-130-generic", "6.8.0-52-generic", "6.11.0-19-generic", "6.12.13-amd64", "6.6.87.2-microsoft-standard-WSL2",
           "5.15.167.4-microsoft-standard-WSL2", "6.1.0-31-amd64", "4.14.355-275.582.amzn2.x86_64"]
MACS = ["23.6.0", "24.3.0", "24.5.0", "25.1.0"]


def _py(rng: Random) -> str:
    return rng.choice(["3.9.21", "3.10.12", "3.11.11", "3.12.8", "3.12.9", "3.13.2", "3.8.20"])


def cli(rng: Random, os: str = "") -> str:
    """AWS CLI v2, mostly; v1 survives on old hosts."""
    family = os or rng.choice(["linux", "linux", "mac", "win"])
    if family == "linux" and rng.random() < 0.15:
        return f"aws-cli/1.{rng.randint(29, 38)}.{rng.randint(0, 40)} md/Botocore#1.{rng.randint(31, 36)}.{rng.randint(0, 90)} ua/2.0 os/linux#{rng.choice(KERNELS)} md/arch#x86_64 lang/python#{_py(rng)} md/pyimpl#CPython cfg/retry-mode#legacy botocore/1.{rng.randint(31, 36)}.{rng.randint(0, 90)}"
    place = {"linux": f"os/linux#{rng.choice(KERNELS)} md/distrib#{rng.choice(['ubuntu.22', 'ubuntu.24', 'amzn.2023', 'debian.12'])}",
             "mac": f"os/macos#{rng.choice(MACS)}", "win": "os/windows#10"}[family]
    arch = "arm64" if family == "mac" else "x86_64"
    return (f"aws-cli/2.{rng.randint(15, 27)}.{rng.randint(0, 60)} md/awscrt#0.{rng.randint(19, 26)}.{rng.randint(0, 3)} ua/2.0 {place} "
            f"md/arch#{arch} lang/python#{_py(rng)} md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off")


def boto(rng: Random, env: str = "") -> str:
    n = rng.randint(0, 90)
    minor = rng.randint(34, 40)
    extra = f" exec-env/{env}" if env else ""
    return (f"Boto3/1.{minor}.{n} md/Botocore#1.{minor}.{n} ua/2.0 os/linux#{rng.choice(KERNELS)} md/arch#x86_64 "
            f"lang/python#{_py(rng)} md/pyimpl#CPython{extra} cfg/retry-mode#{rng.choice(['legacy', 'standard'])} Botocore/1.{minor}.{n}")


def go2(rng: Random, env: str = "") -> str:
    extra = f" exec-env/{env}" if env else ""
    return (f"aws-sdk-go-v2/1.{rng.randint(24, 36)}.{rng.randint(0, 5)} os/linux lang/go#1.{rng.randint(21, 24)}.{rng.randint(0, 9)} "
            f"md/GOOS#linux md/GOARCH#{rng.choice(['amd64', 'arm64'])}{extra} api/{rng.choice(['sts', 'ec2', 's3', 'ssm'])}#1.{rng.randint(28, 60)}.{rng.randint(0, 9)}")


def go1(rng: Random) -> str:
    return f"aws-sdk-go/1.{rng.randint(44, 55)}.{rng.randint(0, 330)} (go1.{rng.randint(18, 23)}.{rng.randint(0, 12)}; linux; amd64)"


def java2(rng: Random, env: str = "") -> str:
    extra = f" exec-env/{env}" if env else ""
    return (f"aws-sdk-java/2.{rng.randint(20, 31)}.{rng.randint(0, 90)} ua/2.0 os/Linux#{rng.choice(KERNELS)} lang/java#{rng.choice(['17.0.14', '21.0.6', '11.0.26'])} "
            f"md/OpenJDK_64-Bit_Server_VM#{rng.choice(['17.0.14+7-LTS', '21.0.6+7-LTS'])} md/vendor#{rng.choice(['Amazon.com_Inc.', 'Eclipse_Adoptium'])} md/en{extra} cfg/retry-mode#legacy io/sync http/Apache")


def js3(rng: Random, env: str = "") -> str:
    node = rng.choice(["18.20.6", "20.18.2", "22.13.1", "22.14.0"])
    extra = f" exec-env/{env}" if env else ""
    return f"aws-sdk-js/3.{rng.randint(450, 760)}.0 ua/2.1 os/linux#{rng.choice(KERNELS)} lang/js md/nodejs#{node} api/{rng.choice(['s3', 'dynamodb', 'sts', 'secrets-manager'])}#3.{rng.randint(450, 760)}.0{extra} m/E"


def terraform(rng: Random) -> str:
    provider = f"5.{rng.randint(40, 99)}.{rng.randint(0, 1)}"
    return (f"APN/1.0 HashiCorp/1.0 Terraform/1.{rng.randint(5, 11)}.{rng.randint(0, 9)} (+https://www.terraform.io) terraform-provider-aws/{provider} "
            f"(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.{rng.randint(30, 36)}.{rng.randint(0, 5)} ua/2.1 os/linux lang/go#1.23.{rng.randint(3, 9)} md/GOOS#linux md/GOARCH#amd64")


def browser(rng: Random) -> str:
    chrome = rng.randint(131, 145)
    return weighted(rng, {
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36": 4.0,
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36": 4.0,
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36 Edg/{chrome}.0.0.0": 2.0,
        f"Mozilla/5.0 (X11; Linux x86_64; rv:{chrome - 1}.0) Gecko/20100101 Firefox/{chrome - 1}.0": 1.0,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15": 1.0})


def tool(rng: Random) -> str:
    """Odd clients: people's desktop tools, scripts without an SDK, old libraries."""
    return weighted(rng, {f"S3 Browser/{rng.choice(['11.7.5', '12.0.1', '12.4.7'])} (https://s3browser.com)": 1.0,
                          f"python-requests/2.{rng.choice(['28.2', '31.0', '32.3'])}": 2.0, "Go-http-client/1.1": 1.0,
                          f"[Cyberduck/9.{rng.randint(0, 1)}.{rng.randint(0, 4)} (Mac OS X/15.3) (aarch64)]": 1.0,
                          f"rclone/v1.{rng.randint(62, 69)}.{rng.randint(0, 2)}": 1.0, f"curl/8.{rng.randint(4, 12)}.0": 1.0})


def operator_client(rng: Random) -> str:
    """What someone at a keyboard, honest or not, uses against AWS."""
    draw = rng.random()
    if draw < 0.55:
        return cli(rng)
    return boto(rng) if draw < 0.8 else (go2(rng) if draw < 0.87 else tool(rng))


SDKS = {"boto": boto, "go2": go2, "java2": java2, "js3": js3}


def sdk(rng: Random, env: str = "") -> str:
    name = weighted(rng, {"boto": 4.0, "go2": 2.0, "java2": 2.0, "js3": 2.0})
    return SDKS[name](rng, env)


def script_client(rng: Random) -> str:
    """Clients of web APIs outside AWS."""
    return weighted(rng, {f"python-requests/2.{rng.choice(['28.2', '31.0', '32.3'])}": 3.0, f"axios/1.{rng.randint(4, 8)}.{rng.randint(0, 6)}": 1.0,
                          "Go-http-client/2.0": 2.0, f"okhttp/4.{rng.randint(9, 12)}.0": 1.0, f"curl/8.{rng.randint(4, 12)}.0": 1.0,
                          f"Python/3.{rng.randint(10, 13)} aiohttp/3.{rng.randint(8, 11)}.{rng.randint(0, 9)}": 1.0})


def git(rng: Random) -> str:
    return weighted(rng, {f"git/2.{rng.randint(34, 48)}.{rng.randint(0, 4)}": 5.0, f"git/2.{rng.randint(39, 48)}.{rng.randint(0, 3)} (Apple Git-154)": 2.0,
                          "JGit/6.10.0.202406032230-r": 0.5, f"git/2.{rng.randint(40, 48)}.1.windows.1": 1.0})


GCP_CLIENTS: dict[str, float] = {"google-cloud-sdk gcloud": 2.0, "google-api-go-client": 3.0, "python": 3.0, "java": 1.0, "terraform": 1.0}


def gcp(rng: Random) -> str:
    kind = weighted(rng, GCP_CLIENTS)
    return {"google-cloud-sdk gcloud": f"google-cloud-sdk gcloud/{rng.randint(480, 512)}.0.0 command/gcloud.invocation-id/{uuid4(rng).replace('-', '')} environment/None environment-version/None client-os/LINUX client-os-ver/{rng.choice(KERNELS)} interactive/False from-script/True python/3.11.9 term/dumb,gzip(gfe)",
            "google-api-go-client": f"google-api-go-client/0.5 gax-go/2.{rng.randint(11, 14)}.0 gl-go/1.{rng.randint(20, 24)}.{rng.randint(0, 9)},gzip(gfe)",
            "python": f"gl-python/3.{rng.randint(9, 12)}.{rng.randint(0, 9)} grpc/1.{rng.randint(58, 70)}.0 gax/2.{rng.randint(15, 24)}.0 gccl/2.{rng.randint(10, 19)}.0,gzip(gfe)",
            "java": f"gcloud-java/2.{rng.randint(30, 49)}.0 Google-API-Java-Client/2.{rng.randint(2, 7)}.0 Google-HTTP-Java-Client/1.{rng.randint(43, 46)}.0 (gzip),gzip(gfe)",
            "terraform": f"Terraform/1.{rng.randint(5, 11)}.{rng.randint(0, 9)} (+https://www.terraform.io) Terraform-Plugin-SDK/2.{rng.randint(30, 36)}.0 terraform-provider-google/6.{rng.randint(1, 22)}.0,gzip(gfe)"}[kind]
