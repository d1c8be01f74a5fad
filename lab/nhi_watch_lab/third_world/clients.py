"""What calls the interfaces, and the user-agent string it sends. Versions are drawn and move up."""
import re
from typing import Dict, List, Tuple

from .rand import Rand

OPEN = {
    "boto3": "Boto3/{b} md/Botocore#{b} ua/2.1 os/linux#{k} md/arch#{arch} lang/python#{py} md/pyimpl#CPython "
             "{env}m/{m} cfg/retry-mode#{retry} Botocore/{b}",
    "boto3-old": "Boto3/1.26.{x} Python/3.8.{y} Linux/{k} {env1}Botocore/1.29.{x}",
    "go2": "aws-sdk-go-v2/{g} ua/2.1 os/linux lang/go#{go} md/GOOS#linux md/GOARCH#{ga} {env}api/{svc}#{gm} m/{m}",
    "go1": "aws-sdk-go/1.{g1} (go{go}; linux; {ga})",
    "ssm-agent": "aws-sdk-go/1.{g1} (go{go}; linux; {ga}) amazon-ssm-agent/",
    "karpenter": "aws-sdk-go-v2/{g} ua/2.1 os/linux lang/go#{go} md/GOOS#linux md/GOARCH#{ga} api/{svc}#{gm} "
                 "karpenter.sh-v1.{minor}.{patch}",
    "lb-controller": "elbv2.k8s.aws/v2.{minor1}.{patch} aws-sdk-go-v2/{g} ua/2.1 os/linux lang/go#{go} md/GOOS#linux "
                     "md/GOARCH#{ga} api/{svc}#{gm}",
    "external-secrets": "aws-sdk-go-v2/{g} ua/2.1 os/linux lang/go#{go} md/GOOS#linux md/GOARCH#{ga} api/{svc}#{gm} "
                        "external-secrets",
    "fluent-bit": "aws-fluent-bit-plugin",
    "java2": "aws-sdk-java/2.{j} md/io#sync md/http#Apache ua/2.1 api/{svc}#2.{j} os/Linux#{k} lang/java#{jv} "
             "md/OpenJDK_64-Bit_Server_VM#{jv}+9-LTS md/vendor#Eclipse_Adoptium md/en_US cfg/retry-mode#legacy",
    "java1": "aws-sdk-java/1.12.{j1} Linux/{k} OpenJDK_64-Bit_Server_VM/{jv}+9-LTS java/{jv} vendor/Amazon.com_Inc. "
             "cfg/retry-mode/standard",
    "js3": "aws-sdk-js/3.{n3}.0 ua/2.1 os/linux#{k} lang/js md/nodejs#{node} {env}api/{svc}#3.{n3}.0 m/E",
    "js2": "aws-sdk-nodejs/2.{n2}.0 linux/v{node} promise",
    "rust": "aws-sdk-rust/1.3.{r} ua/2.1 api/{svc}#1.{r1}.0 os/linux lang/rust#1.{r2}.0",
    "php": "aws-sdk-php/3.3{patch}{x1} ua/2.1 OS/Linux#{k} lang/php#8.{minor2}.{x1} GuzzleHttp/7",
    "ruby": "aws-sdk-ruby3/3.22{patch}.0 ua/2.1 api/{svc}#1.{x}.0 os/linux md/x86_64 lang/ruby#3.{minor2}.{patch}",
    "dotnet": "aws-sdk-dotnet-coreclr/3.7.4{x}.{x1} ua/2.1 os/linux lang/.NET_Core#8.0.{x1} md/aws-sdk-dotnet-core#3.7.4{x}",
    "cli2": "aws-cli/2.{c}.{x1} md/awscrt#0.2{minor}.{x1} ua/2.1 os/{os} md/arch#{arch} lang/python#3.1{minor2}.{x1} "
            "md/pyimpl#CPython m/{m} cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#{cmd}",
    "cli1": "aws-cli/1.{x}.{y} Python/3.9.{x1} Linux/{k} botocore/1.{x}.{y}",
    "terraform": "APN/1.0 HashiCorp/1.0 Terraform/1.{tf}.{patch} (+https://www.terraform.io) terraform-provider-aws/"
                 "{tp}.{x}.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/{g} ua/2.1 os/linux "
                 "lang/go#{go} md/GOOS#linux md/GOARCH#amd64 api/{svc}#{gm} m/{m}",
    "configure-credentials": "aws-sdk-js/3.{n3}.0 ua/2.1 os/linux#6.8.0-10{x}-azure lang/js md/nodejs#20.{y}.0 "
                             "api/{svc}#3.{n3}.0 m/E configure-aws-credentials-for-github-actions",
    "datadog": "Boto3/{b} md/Botocore#{b} ua/2.1 os/linux#{k} md/arch#{arch} lang/python#{py} md/pyimpl#CPython "
               "cfg/retry-mode#legacy Botocore/{b} Datadog",
    "rclone": "rclone/v1.{r3}.{patch}",
    "s3browser": "S3 Browser/1{minor2}.{patch}.{x1} (https://s3browser.com)",
    "cyberduck": "Cyberduck/9.{minor2}.{patch}.4{x}{y} (Mac OS X/14.{patch}) (aarch64)",
    "powershell": "AWSPowerShell.Common/4.1.{x}{y} ua/2.1 os/windows#10.0.2{x}{y} md/.NET_Core lang/PowerShell#7.{patch}",
    "requests": "python-requests/2.3{patch}.{minor2}",
    "curl": "curl/8.{minor}.{patch}",
    "go-http": "Go-http-client/2.0",
    "axios": "axios/1.{minor}.{patch}",
    "okhttp": "okhttp/4.{minor}.{patch}",
    "okta-sdk": "okta-sdk-golang/4.{patch}.0 golang/go{go} linux/{ga}",
    "okta-py": "okta-sdk-python/2.9.{x1} python/{py} Linux/{k}",
    "git": "git/2.4{minor2}.{patch}",
    "octokit": "octokit-core.js/6.{minor2}.{patch} Node.js/20 (linux; x64)",
    "ghcli": "GitHub CLI 2.{x}.{patch}",
    "pygithub": "PyGithub/Python",
    "kubectl": "kubectl/v1.3{minor2}.{patch} ({plat}) kubernetes/{h7}",
    "k8s-go": "{app}/v0.0.0 (linux/{ga}) kubernetes/$Format",
    "kubelet": "kubelet/v1.3{minor2}.{patch}-eks-{h7} (linux/{ga}) kubernetes/{h7}",
    "argocd": "argocd-application-controller/v2.1{minor2}.{patch} (linux/{ga}) kubernetes/$Format",
    "helm": "Helm/3.1{minor2}.{patch}",
    "k8s-py": "OpenAPI-Generator/3{minor2}.0.0/python",
    "gcloud": "google-cloud-sdk gcloud/5{x}.0.0 command/gcloud.{cmd} invocation-id/{h32} environment/None "
              "interactive/{tty} from-script/{tty2} python/3.1{minor2}.{x1} term/xterm-256color (Linux {k}),gzip(gfe)",
    "gcp-py": "gcloud-python/3.{minor}.0 gl-python/{py} grpc/1.6{x1}.0 gax/2.2{patch}.0 gapic/3.{minor}.0,gzip(gfe)",
    "gcp-go": "google-api-go-client/0.5 gl-go/{go} gccl/1.4{minor2}.0,gzip(gfe)",
    "gcp-java": "Google-API-Java-Client/2.{minor}.0 Google-HTTP-Java-Client/1.4{patch}.0 (gzip),gzip(gfe)",
    "tf-google": "Terraform/1.{tf}.{patch} (+https://www.terraform.io) Terraform-Plugin-SDK/2.3{patch}.0 "
                 "terraform-provider-google/6.{x}.0,gzip(gfe)",
    "vault-agent": "Vault/1.1{minor2}.{patch} (linux; {ga}; go{go})",
    "browser": "Mozilla/5.0 ({desk}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1{x}.0.0.0 Safari/537.36",
    "safari": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
              "Version/18.{patch} Safari/605.1.15",
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:13{minor2}.0) Gecko/20100101 Firefox/13{minor2}.0",
}
KERNELS = ["5.10.2{x}-2{y}.9{x}.amzn2.x86_64", "6.1.1{x}-1{y}.2{y}.amzn2023.x86_64", "6.8.0-10{x1}-aws", "6.12.{x}-7{y}."
           "amzn2023.aarch64", "5.15.0-1{x}-generic"]
DESK = ["darwin#24.{patch}.0", "windows#11", "linux#6.8.0-{x}-generic", "darwin#23.{patch}.0"]
KALI = ["linux#6.1{minor2}.{x1}-amd64", "linux#6.8.11-amd64", "linux#5.15.0-{x}-generic", "windows#10", "darwin#23.{patch}.0"]
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Client:
    """One installed program: its family, and a version that stays until it is upgraded."""

    def __init__(self, rand: Rand, family: str, runtime: str = "", own: bool = False) -> None:
        self.family = family
        self.runtime = runtime
        self.own = own
        self._parts = self._draw(rand)
        self._cache: Dict[Tuple[str, str], str] = {}

    def _draw(self, rand: Rand) -> Dict[str, str]:
        small = {"x": str(rand.whole(20, 79)), "y": str(rand.whole(10, 60)), "x1": str(rand.whole(0, 19)),
                 "minor": str(rand.whole(1, 9)), "minor1": str(rand.whole(7, 13)), "minor2": str(rand.whole(0, 4)),
                 "patch": str(rand.whole(0, 7))}
        arm = rand.chance(0.25)
        kernel = rand.pick(KERNELS).format(**small)
        lane = rand.whole(0, 40)
        parts = dict(small, k=kernel, arch="aarch64" if arm else "x86_64", ga="arm64" if arm else "amd64",
                     py=f"3.{rand.whole(9, 13)}.{small['x1']}", b=f"1.{rand.whole(34, 42)}.{rand.whole(0, 130)}",
                     g=f"1.{rand.whole(28, 41)}.{rand.whole(0, 7)}", go=f"1.{rand.whole(21, 25)}.{rand.whole(0, 9)}",
                     gm=f"1.{rand.whole(30, 290)}.{rand.whole(0, 4)}", g1=f"{rand.whole(44, 55)}.{rand.whole(0, 300)}",
                     j=f"{rand.whole(20, 41)}.{rand.whole(0, 60)}", jv=rand.pick(["11.0.2", "17.0.1", "21.0."]) + str(
                     rand.whole(0, 9)), j1=str(rand.whole(500, 790)), n3=str(480 + lane * 11), n2=str(1400 + lane * 6),
                     node=f"{rand.pick(['18', '20', '22'])}.{small['minor']}.{small['patch']}", r=small["patch"],
                     r1=str(rand.whole(40, 110)), r2=str(rand.whole(74, 92)), r3=str(rand.whole(64, 72)), c=str(
                     rand.whole(13, 33)), tf=str(rand.whole(4, 14)), tp=rand.pick(["5", "5", "6"]), h7=rand.hex(7),
                     m=rand.pick(["Z,b,n", "D,Z,b,E", "b,Z", "n,Z,E", "E,b,Z,D"]), retry=rand.pick(["legacy", "standard"]),
                     os=rand.pick(DESK if not self.own else KALI).format(**small), h32=rand.hex(32), tty="True",
                     tty2="False", desk=rand.pick(["Macintosh; Intel Mac OS X 10_15_7", "Windows NT 10.0; Win64; x64",
                     "X11; Linux x86_64"]), plat=rand.pick(["darwin/arm64", "linux/amd64", "windows/amd64"]),
                     app="controller")
        env = f"exec-env/{self.runtime} " if self.runtime else ""
        parts["env"] = env
        parts["env1"] = env
        return parts

    def upgrade(self, rand: Rand) -> "Client":
        newer = Client(rand, self.family, self.runtime, self.own)
        keep = ("k", "arch", "ga", "os", "desk", "plat", "app")
        newer._parts.update({name: self._parts[name] for name in keep})
        return newer

    def named(self, app: str) -> "Client":
        self._parts["app"] = app
        return self

    def string(self, service: str, name: str) -> str:
        found = self._cache.get((service, name))
        if found is None:
            command = f"{service}.{_WORD.sub('-', name).lower()}"
            found = OPEN[self.family].format(svc=service, cmd=command, **self._parts)
            if service == "s3":
                found = f"[{found}]"
            self._cache[(service, name)] = found
        return found


MACHINE_SDKS = ["boto3", "boto3", "go2", "go2", "java2", "js3", "js3", "go1", "java1", "js2", "rust", "php", "ruby",
                "dotnet", "boto3-old"]
ATTACK_SDKS: List[Tuple[str, float]] = [("cli2", 5), ("boto3", 5), ("cli1", 1), ("go2", 2), ("rclone", 1), ("js3", 1),
                                        ("s3browser", 0.7), ("powershell", 0.5), ("java2", 0.5), ("terraform", 0.3)]
