"""Who acts on a host: a user of that host, by immutable ids where the log has them.

And which files and programs there have to do with credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Optional

from nhi_watch.context.networks import describe, network_of
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.shapes.forms import at
from nhi_watch.intake.shapes.values import event, first, text

# ---- files
#
# Files on a host that hold credentials, and the programs whose credentials they are.
#
# Paths are those that the products document. Both lists are for detection engineers to edit: a file that is missing
# here
# is not watched.


class _Class(NamedTuple):
    """A sort of credential file."""

    paths: tuple[str, ...]
    """Patterns of the end of a path, in lower case with `/`, from the beginning of a name on."""
    tools: str
    """Programs whose credential it is; "" where any workload may read it."""


_CLASSES = {
    "aws": _Class(
        (r"\.aws/credentials", r"\.aws/(?:sso|cli)/cache/[^/]+\.json", r"\.boto", r"\.s3cfg", r"\.passwd-s3fs"),
        "aws aws-vault awscli aws-sso saml2aws granted assume terraform tofu pulumi packer eksctl sam cdk chamber s3cmd"
        " s5cmd rclone ecs-cli copilot amazon-ssm-agent ansible ansible-playbook vault steampipe",
    ),
    "gcp": _Class(
        (
            r"gcloud/(?:credentials|access_tokens)\.db", r"gcloud/application_default_credentials\.json",
            r"gcloud/legacy_credentials/.*", r"[^/]*(?:service[-_]?account|gcp[-_]key|gcp[-_]creds?)[^/]*\.json",
        ),
        "gcloud gsutil bq gke-gcloud-auth-plugin cloud-sql-proxy cloud_sql_proxy terraform tofu pulumi packer kubectl"
        " helm docker-credential-gcloud docker-credential-gcr firebase rclone gcsfuse ansible ansible-playbook",
    ),
    "azure": _Class(
        (
            r"\.azure/(?:msal_token_cache|service_principal_entries)\.\w+",
            r"\.azure/(?:accesstokens|azurermcontext)\.json", r"\.azure/tokencache\.dat",
        ),
        "az azd azcopy func pwsh powershell terraform tofu pulumi packer kubelogin ansible ansible-playbook",
    ),
    "kube": _Class(
        (
            r"\.kube/config", r"\.kube/cache/[^/]+", r"[^/]*kubeconfig[^/]*", r"etc/rancher/(?:k3s|rke2)/[^/]+\.yaml",
            r"etc/kubernetes/(?:admin|super-admin|kubelet|controller-manager|scheduler)\.conf", r"kubelet/pki/.*",
        ),
        "kubectl helm k9s kubelet kubeadm k3s rke2 kind minikube oc flux argocd kustomize skaffold tilt stern kubectx"
        " kubens lens velero istioctl terraform tofu pulumi aws gcloud az eksctl doctl kube-controller-manager"
        " kube-scheduler",
    ),
    "workload": _Class(
        (
            r"run/secrets/(?:kubernetes\.io|eks\.amazonaws\.com|pods\.eks\.amazonaws\.com|azure|tokens|gcp|vault)/.*",
            r"run/secrets/[^/]+", r"vault/secrets/[^/]+",
        ),
        "",
    ),
    "docker": _Class(
        (r"\.docker/config\.json", r"\.dockercfg", r"containers/auth\.json"),
        "docker dockerd com.docker.backend podman buildah skopeo nerdctl containerd kaniko executor crane cosign trivy"
        " syft buildx buildkitd docker-credential-ecr-login docker-credential-desktop compose docker-compose helm",
    ),
    "registry": _Class(
        (
            r"\.npmrc", r"\.yarnrc(?:\.yml)?", r"\.pypirc", r"\.gem/credentials", r"\.cargo/credentials(?:\.toml)?",
            r"\.m2/settings(?:-security)?\.xml", r"\.gradle/gradle\.properties", r"composer/auth\.json",
            r"nuget/nuget\.config", r"\.bundle/config",
        ),
        "npm npx yarn pnpm bun corepack twine pip uv poetry flit hatch gem bundle bundler cargo rustc mvn mvnd gradle"
        " gradlew composer php nuget dotnet",
    ),
    "git": _Class(
        (r"\.git-credentials", r"[._]netrc", r"gh/hosts\.yml", r"glab-cli/config\.yml", r"\.config/hub"),
        "git git-remote-http git-remote-https git-credential-store git-credential-manager git-lfs gh glab hub heroku",
    ),
    "ci": _Class(
        (
            r"actions-runner/\.credentials(?:_rsaparams)?", r"jenkins[^/]*/credentials\.xml",
            r"jenkins[^/]*/secrets/.*", r"\.?gitlab-runner/config\.toml", r"\.circleci/cli\.yml",
            r"buildkite-agent\.cfg",
        ),
        "runner.listener runner.worker actions-runner jenkins gitlab-runner buildkite-agent circleci circleci-agent",
    ),
    "ssh": _Class(
        (r"\.ssh/id_[a-z0-9_]+", r"\.ssh/[^/]+\.pem", r"\.ssh/[^/]*deploy[-_]?key", r"[^/]+\.keytab"),
        "ssh ssh-add ssh-agent ssh-keygen scp sftp sshd rsync git ansible ansible-playbook autossh mosh putty plink"
        " pscp winscp kinit sssd sssd_be gssproxy adcli realm",
    ),
    "vault": _Class(
        (
            r"\.vault-token", r"\.terraform\.d/credentials\.tfrc\.json", r"[^/]+\.tfstate(?:\.backup)?",
            r"\.config/op/config", r"sops/age/keys\.txt",
        ),
        "vault consul-template envconsul terraform tofu terragrunt pulumi op sops atlantis",
    ),
    "database": _Class(
        (
            r"\.pgpass", r"pgpass\.conf", r"\.my\.cnf", r"\.mylogin\.cnf", r"\.snowsql/config", r"\.databrickscfg",
            r"\.snowflake/(?:connections|config)\.toml", r"\.dbt/profiles\.yml",
        ),
        "psql pg_dump pg_restore pgbouncer mysql mysqldump mariadb snowsql snow databricks dbt",
    ),
    "saas": _Class(
        (
            r"\.config/doctl/config\.yaml", r"rclone/rclone\.conf", r"\.wrangler/config/.*", r"stripe/config\.toml",
            r"\.sfd?x?/[^/]+\.json", r"\.okta/okta\.yaml", r"\.oci/(?:config|[^/]+\.pem)", r"\.bluemix/config\.json",
            r"\.fly/config\.yml", r"\.vercel/auth\.json",
        ),
        "doctl rclone wrangler netlify stripe sf sfdx okta oci ibmcloud fly flyctl vercel",
    ),
    "ai": _Class(
        (
            r"\.claude/\.credentials\.json", r"\.codex/auth\.json", r"\.gemini/oauth_creds\.json",
            r"github-copilot/[^/]+\.json", r"\.openai/[^/]+", r"\.?huggingface/token",
        ),
        "claude codex gemini copilot copilot-agent cursor code openai huggingface-cli hf",
    ),
    "env": _Class((r"\.env(?:\.(?!example|sample|template|dist)[a-z0-9_.-]+)?", r"[^/.]+\.env"), ""),
}  # fmt: skip

TOOLS = {name: frozenset(one.tools.split()) for name, one in _CLASSES.items()}
"""Sort of credential → the programs whose it is."""
MEMORY = "memory"
_MEMORY = re.compile(r"/proc/\d+/(?:environ|mem)", re.ASCII)
_FILE = re.compile(
    "(?:.*/)?(?:" + "|".join(f"(?P<{name}>{'|'.join(one.paths)})" for name, one in _CLASSES.items()) + ")", re.DOTALL
)
_HINTS = re.compile(
    r"\.aws|boto|s3|gcloud|\.json|\.azure|kube|rancher|secrets/|\.docker|auth|npmrc|yarnrc|pypirc|credentials|settings|"
    r"\.gradle|nuget|bundle|netrc|hosts\.yml|config|jenkins|agent\.cfg|\.ssh|keytab|vault|tfstate|keys\.txt|pgpass|cnf|"
    r"snow|databricks|\.dbt|rclone|wrangler|\.pem|okta|\.fly|openai|token|\.env|\.gem|hub"
)
"""Something of each pattern: what has none of it is no such file; most files are told apart by it."""
_LONGEST = 1024


@lru_cache(maxsize=16384)
def file_class(path: str) -> str:
    r"""What sort of credential a file holds; `memory` for another process's memory and environment, "" for none.

    >>> file_class("/srv/ci/.aws/credentials"), file_class("C:\\Users\\ci\\.kube\\config"), file_class("/etc/hosts")
    ('aws', 'kube', '')
    >>> file_class("/run/secrets/eks.amazonaws.com/token"), file_class("/app/.env"), file_class("/.env.example")
    ('workload', 'env', '')
    >>> file_class("/srv/ci/.ssh/authorized_keys"), file_class("/srv/ci/.ssh/id_rsa"), file_class("/proc/77/environ")
    ('', 'ssh', 'memory')
    """
    if len(path) > _LONGEST:
        return ""
    told = path.replace("\\", "/").lower()
    if told.startswith("/proc/"):
        return MEMORY if _MEMORY.fullmatch(told) else ""
    match = _FILE.fullmatch(told) if _HINTS.search(told) else None
    return match.lastgroup or "" if match else ""


# ---- programs


METADATA = frozenset(
    {
        *("169.254.169.254", "fd00:ec2::254"),  # AWS, Azure, Google Cloud and others
        *("169.254.170.2", "169.254.170.23", "fd00:ec2::23"),  # ECS tasks, EKS Pod Identity
        "100.100.100.200",  # Alibaba Cloud
        *("metadata.google.internal", "metadata.goog", "metadata.azure.com", "metadata.tencentyun.com"),
    }
)
"""Addresses and names of the services that hand out a machine's credentials."""
_IN_LINE = re.compile(
    r"169\.254\.169\.254|169\.254\.170\.23?\b|fd00:ec2::2(?:54|3)\b|metadata\.(?:google\.internal|azure\.com)|"
    r"100\.100\.100\.200"
)


def _names(told: str) -> frozenset[str]:
    return frozenset(told.split())


CLIS = _names(
    "aws az azd gcloud gsutil bq kubectl oc gh glab vault doctl oci ibmcloud aliyun heroku snowsql snow databricks sf"
    " sfdx eksctl flyctl fly wrangler vercel op okta terraform tofu pulumi helm argocd"
)
_RUNTIMES = _names("python pythonw node java ruby php dotnet perl pwsh powershell go deno bun")
_SHELLS = _names("sh bash dash zsh ksh fish busybox cmd")
_READERS = _SHELLS | _names(
    "cat tac less more head tail grep egrep fgrep rg ag find awk gawk sed cut xxd od hexdump strings base64 base32"
    " openssl cp mv dd tar gzip zip 7z scp rsync curl wget nc ncat netcat socat vi vim nano emacs tee jq type copy"
    " xcopy robocopy certutil findstr notepad bitsadmin"
)
"""What shows, copies or sends whatever file it is given."""
_KEEPERS = _names(
    "elastic-endpoint elastic-agent filebeat auditbeat osqueryd falcon-sensor falcond clamd clamscan msmpeng mssense"
    " wazuh-agentd ossec-agentd auditd updatedb restic borg duplicity veeamagent bacula-fd searchindexer mds mdworker"
    " mdworker_shared backupd systemd dpkg rpm"
)
"""What guards, backs up and indexes a host reads everything."""
_PARENTS = _names(
    "nginx apache2 httpd php-fpm php-cgi w3wp tomcat catalina lighttpd caddy uwsgi gunicorn postgres mysqld mariadbd"
    " mongod redis-server memcached sqlservr exim4 postfix smtpd named vsftpd proftpd smbd"
    " winword excel powerpnt outlook onenote acrord32 acrobat msaccess mshta wscript cscript rundll32 regsvr32"
    " installutil msbuild chrome msedge firefox iexplore brave safari slack teams zoom discord soffice"
)
"""Servers, office programs, browsers and script hosts: none of them starts a cloud's command line in ordinary work."""
_ATTACK = _names(
    "pacu cloudfox trufflehog enumerate-iam weirdaal peirates nuclei mimikatz lazagne nanodump linpeas winpeas deepce"
    " kdigger amicontained kubeletctl kubiscan roadrecon roadtx aadinternals graphrunner microburst sharphound"
    " azurehound cloudbrute gitrob s3scanner"
)
_SCRIPTED = re.compile(r"(azure)[._]cli|(gcloud)\.py|(awscli)\b", re.IGNORECASE)
_SCRIPTS = {1: "az", 2: "gcloud", 3: "aws"}
_WILD = re.compile(
    r"/(?:var/)?tmp/|/dev/shm/|/proc/\d+/fd/|memfd:|/\.[^/]+/[^/]*$"
    r"|\\(?:appdata\\local\\temp|users\\public|\$recycle\.bin|perflogs)\\",
    re.IGNORECASE,
)
_HOMELY = re.compile(
    r"/\.(?:local|cargo|pyenv|nvm|rbenv|asdf|sdkman|npm|dotnet|krew|vscode[^/]*|cache|venv|volta|bun|deno|rustup|lens|"
    r"terraform\.d|terraform|pulumi|azure|docker|tfenv|goenv|go|jenkins|gradle|m2)/"
)
"""Hidden folders in which tools are installed."""
_ENDS = (".exe", ".cmd", ".bat", ".com", ".py", ".sh")
_NUMBERED = re.compile(r"[-_.]?\d[\d.]*[a-z]?$")
_UNSAFE = re.compile(r"[^a-z0-9._+-]+")
_WORD = re.compile(r"(?!(?:.*\d){5})[a-z][a-z0-9-]{0,31}", re.ASCII)


@lru_cache(maxsize=16384)
def program(path: str) -> str:
    r"""A program's name: without folder, version and `.exe`, in lower case.

    >>> program("/usr/bin/python3.11"), program("C:\\Program Files\\Amazon\\AWSCLIV2\\aws.exe"), program("")
    ('python', 'aws', '')
    """
    name = path.replace("\\", "/").rpartition("/")[2].lower()[:120]
    for end in _ENDS:
        name = name.removesuffix(end)
    return _UNSAFE.sub("-", _NUMBERED.sub("", name) or name)[:40]


def cli_of(path: str, second: str, line: str) -> str:
    r"""The cloud's command line that is run, or "": the program itself, or the script that an interpreter runs.

    >>> cli_of("/usr/bin/aws", "", ""), cli_of("/usr/bin/python3", "/usr/bin/gsutil", ""), cli_of("/bin/ls", "", "")
    ('aws', 'gsutil', '')
    >>> cli_of("C:\\az\\python.exe", "-IBm", "python.exe -IBm azure.cli account show")
    'az'
    """
    name = program(path)
    if name in CLIS:
        return name
    if name not in _RUNTIMES and name not in _SHELLS:
        return ""
    script = program(second) if second else ""
    if script in CLIS:
        return script
    match = _SCRIPTED.search(line[:1000]) if name == "python" else None
    return _SCRIPTS[match.lastindex or 3] if match else ""


def doing(cli: str, words: Sequence[str]) -> str:
    """What a cloud's command line does: its first two subcommands, never an argument that may be a secret.

    >>> doing("aws", ["sts", "get-caller-identity"]), doing("kubectl", ["get", "secrets", "-A"])
    ('aws sts get-caller-identity', 'kubectl get secrets')
    >>> doing("vault", ["login", "hvs.X9"]), doing("gh", ["--repo", "a/b"])
    ('vault login', 'gh')
    """
    told = [cli]
    for word in words[:2]:
        if not _WORD.fullmatch(word):
            break
        told.append(word)
    return " ".join(told)


def metadata_in(line: str) -> str:
    """The metadata service that a command line names, or "".

    >>> metadata_in("curl -s http://169.254.169.254/latest/meta-data/"), metadata_in("curl https://example.com")
    ('169.254.169.254', '')
    """
    if "169.254." not in line and "metadata." not in line and "fd00:ec2" not in line and "100.100.100" not in line:
        return ""
    match = _IN_LINE.search(line)
    return match[0] if match else ""


@lru_cache(maxsize=16384)
def odd_process(path: str, sort: str) -> bool:
    """Whether a program is none that this sort of credential is for: a plain reader, or one from where none belongs.

    >>> odd_process("/usr/bin/cat", "aws"), odd_process("/usr/bin/aws", "aws"), odd_process("/srv/shop/api", "workload")
    (True, False, False)
    >>> odd_process("/dev/shm/aws", "aws"), odd_process("/usr/bin/kubectl", "docker")
    (True, True)
    """
    name = program(path)
    if not name or name in _KEEPERS:
        return False
    tools = TOOLS.get(sort, frozenset())
    if in_wild_place(path) or (name in _READERS and name not in tools):
        return True
    return bool(tools) and name not in tools and name not in _RUNTIMES


def in_wild_place(path: str) -> bool:
    """Whether a program lies where programs do not belong: folders for temporary files, hidden ones.

    >>> in_wild_place("/dev/shm/x"), in_wild_place("/srv/ci/.local/bin/aws"), in_wild_place("/usr/bin/aws")
    (True, False, False)
    """
    return _WILD.search(path) is not None and not _HOMELY.search(path)


@lru_cache(maxsize=4096)
def odd_parent(path: str) -> bool:
    """Whether a program starts no cloud's command line in its ordinary work.

    >>> odd_parent("/usr/sbin/nginx"), odd_parent("/usr/bin/bash"), odd_parent("")
    (True, False, False)
    """
    return program(path) in _PARENTS or in_wild_place(path)


@lru_cache(maxsize=16384)
def may_concern(path: str) -> bool:
    """Whether a program's start can concern a credential at all, without its arguments being looked at.

    >>> may_concern("/usr/bin/cat"), may_concern("/usr/bin/aws"), may_concern("/usr/bin/ls")
    (True, True, False)
    """
    name = program(path)
    return name in CLIS or name in _RUNTIMES or name in _READERS or name in _ATTACK


def is_reader(path: str) -> bool:
    """Whether a program shows, copies or sends whatever file it is given."""
    return program(path) in _READERS


@lru_cache(maxsize=4096)
def is_attack_tool(path: str) -> bool:
    """Whether a program is made for attacking.

    >>> is_attack_tool("C:\\\\x\\\\Mimikatz.exe"), is_attack_tool("/usr/bin/aws")
    (True, False)
    """
    return program(path) in _ATTACK


PROVIDER = "endpoint"
KIND = "host_user"
_LOCAL = re.compile(r"127\.|169\.254\.|0\.0\.0\.0|::1?$|fe80:", re.IGNORECASE)
_DOCKER = "172.17.0.1"
"""The bridge that every host with Docker has."""
ADDRESSES = 6
_SEEN = 64


@lru_cache(maxsize=8192)
def host_user(host: str, unique: str, name: str, host_name: str = "", human: str = "") -> Identity:
    """The identity of a user (its id, else its name) on a host (its id, else its name).

    >>> host_user("web-1", "33", "www-data").id, host_user("web-1", "", "CORP\\\\Svc").id
    ('endpoint:web-1:user:33', 'endpoint:web-1:user:corp\\\\svc')
    >>> host_user("4f3c", "33", "www-data", "web-1").name
    'www-data@web-1'
    """
    told = unique or name.lower() or "unknown"
    shown = f"{name or unique or 'unknown'}@{host_name or host}"
    return Identity(f"{PROVIDER}:{host}:user:{told}"[:512], shown[:512], KIND, PROVIDER, host, human)


def host_links(addresses: Iterable[str]) -> tuple[str, ...]:
    """`host:` and each address by which others see this machine, public ones first.

    >>> host_links(["127.0.0.1", "10.0.0.7", "fe80::1", "198.51.100.7", "172.17.0.1"])
    ('host:198.51.100.7', 'host:10.0.0.7')
    """
    return _links(tuple(addresses)[:_SEEN])


@lru_cache(maxsize=4096)
def _links(addresses: tuple[str, ...]) -> tuple[str, ...]:
    kept = {a for a in addresses if a and a != _DOCKER and not _LOCAL.match(a) and "/" in network_of(a)}
    ordered = sorted(kept, key=lambda a: (describe(network_of(a)).kind == "private", a))
    return tuple(f"host:{address}" for address in ordered[:ADDRESSES])


def host_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """Id and name of the host in a nested ECS document: the id where Elastic's own agent tells it, else the name.

    Sysmon and auditd tell a host by its name wherever else their records lie, so there the name is the id.

    >>> host_of({"host": {"id": "4f3c", "name": "Web-1"}, "event": {"module": "endpoint"}})
    ('4f3c', 'web-1')
    >>> host_of({"host": {"id": "4f3c", "name": "Web-1"}, "event": {"module": "auditd"}})
    ('web-1', 'web-1')
    """
    name = first(at(document, "winlog.computer_name"), at(document, "host.name"), at(document, "host.hostname"))
    name = name.lower()[:200]
    told = text(at(document, "host.id"), 200)
    is_own = text(at(document, "agent.type")) == "endpoint" or text(at(document, "event.module")) == "endpoint"
    return (told if is_own and told else name or told), name


# ---- act
#
# What a process did on a host with credentials, the same out of every sensor's records, and the Event of it.


READ, WRITE, MEMORY_READ = "CredentialFileRead", "CredentialFileWrite", "CredentialMemoryRead"
METADATA_ACCESS, CLI = "MetadataAccess", "CloudCli"
_ACCESS = {READ: "read", MEMORY_READ: "read", METADATA_ACCESS: "read", WRITE: "write", CLI: "unknown"}
_ARGUMENTS = 12
_PIECE = re.compile(r'"([^"]*)"|(\S+)')


class Deed(NamedTuple):
    """What was done."""

    operation: str
    sort: str
    """What sort of credential it is about: a class of files, `metadata`, or the command line's name."""
    target: str


class Facts(NamedTuple):
    """All that an Event depends on, but time, record id, session and target."""

    operation: str
    sort: str
    host: str
    """Its id, else its name."""
    host_name: str
    user_id: str
    user: str
    process: str
    """The program's path, else its name."""
    parent: str
    human: str
    interactive: bool
    error: str
    """EACCES, ENOENT…; "" where it went well."""
    addresses: tuple[str, ...]
    """Of the host."""


class Parts(NamedTuple):
    """A record of a host, read as far as it is cheap."""

    shape: tuple[object, ...]
    """The sensor's name and the raw values of which its `facts_of` makes Facts."""
    time: object
    record_id: str
    session: str
    target: str


def of_file(path: str, writes: bool) -> Optional[Deed]:
    """What it means that a file was opened; None where it holds no credential."""
    sort = file_class(path) if path else ""
    if not sort:
        return None
    if sort == MEMORY:
        return None if writes else Deed(MEMORY_READ, sort, path[:256])
    return Deed(WRITE if writes else READ, sort, path[:256])


def of_connection(*addresses: str) -> Optional[Deed]:
    """What it means that a connection was made, or a name was asked for; None where it is no metadata service."""
    found = next((address for address in addresses if address in METADATA), "")
    return Deed(METADATA_ACCESS, "metadata", found) if found else None


def of_program(path: str, arguments: Sequence[str], line: str) -> Optional[Deed]:
    """What it means that a program was started; None where it concerns no credential.

    >>> of_program("/usr/bin/cat", ["cat", "/srv/.aws/credentials"], "cat /srv/.aws/credentials")
    Deed(operation='CredentialFileRead', sort='aws', target='/srv/.aws/credentials')
    >>> of_program("/usr/bin/ls", ["ls"], "ls")
    """
    second = arguments[1] if len(arguments) > 1 else ""
    cli = cli_of(path, second, line)
    if cli:
        words = arguments[1:4] if program(path) == cli else arguments[2:5] if program(second) == cli else ()
        return Deed(CLI, cli, doing(cli, words))
    service = metadata_in(line)
    if service:
        return Deed(METADATA_ACCESS, "metadata", service)
    if is_attack_tool(path) or (second and is_attack_tool(second)):
        return Deed(CLI, program(path), program(path))
    if not is_reader(path):
        return None
    for argument in arguments[1:_ARGUMENTS]:
        name = argument.lstrip("@<")
        sort = file_class(name) if "/" in name or "\\" in name or name[:1] == "." else ""
        if sort:
            return Deed(MEMORY_READ if sort == MEMORY else READ, sort, name[:256])
    return None


def arguments_of(line: str) -> list[str]:
    """A command line in pieces.

    >>> arguments_of('"C:\\\\Program Files\\\\aws.exe" s3 ls')
    ['C:\\\\Program Files\\\\aws.exe', 's3', 'ls']
    """
    return [match[1] or match[2] or "" for match in _PIECE.finditer(line[:4096])][: _ARGUMENTS + 1]


@lru_cache(maxsize=8192)
def event_of(facts: Facts) -> Event:
    """The Event of facts, without what differs from record to record."""
    odd = odd_process(facts.process, facts.sort) if facts.operation != CLI else False
    marks = {
        "odd_process": odd,
        "odd_parent": facts.parent and odd_parent(facts.parent),
        "attack_tool": is_attack_tool(facts.process),
        "console": facts.interactive,
    }
    denied = facts.error in ("EACCES", "EPERM")
    return event(
        0, host_user(facts.host, facts.user_id, facts.user, facts.host_name, facts.human),
        f"{PROVIDER}:{facts.operation}", account=facts.host, access=_ACCESS[facts.operation], marks=marks,
        outcome="denied" if denied else "failure" if facts.error else "success", error=facts.error,
        agent=facts.sort if facts.operation == CLI else program(facts.process), links=host_links(facts.addresses),
    )  # fmt: skip
