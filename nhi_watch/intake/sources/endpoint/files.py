"""Files on a host that hold credentials, and the programs whose credentials they are.

Paths are those that the products document. Both lists are for detection engineers to edit: a file that is missing here
is not watched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


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
