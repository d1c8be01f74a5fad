"""Programs on a host: their names, which are a cloud's command line, and which are odd to meet where they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from nhi_watch.intake.sources.endpoint.files import TOOLS

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
