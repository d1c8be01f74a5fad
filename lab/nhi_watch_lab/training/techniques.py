"""The real techniques of the training matrix, and the simulated ones that resemble them.

Who is to be judged on a technique that no training saw must be trained without its likes as well.
"""

from __future__ import annotations

from collections.abc import Iterable

LIKE = {
    "credential-access.ec2-get-password-data": "password_data",
    "credential-access.ec2-steal-instance-credentials": "instance_credentials",
    "credential-access.secretsmanager-retrieve-secrets": "secrets_harvest",
    "credential-access.ssm-retrieve-securestring-parameters": "ssm_parameters",
    "defense-evasion.cloudtrail-delete": "trail_delete",
    "defense-evasion.cloudtrail-event-selectors": "trail_selectors",
    "defense-evasion.cloudtrail-stop": "trail_stop",
    "defense-evasion.organizations-leave": "leave_organization",
    "defense-evasion.vpc-remove-flow-logs": "flow_logs_delete",
    "discovery.ec2-download-user-data": "user_data_download",
    "execution.ec2-launch-unusual-instances": "unusual_instances",
    "execution.ec2-user-data": "user_data_execution",
    "execution.ssm-send-command": "remote_command",
    "exfiltration.ec2-security-group-open-port-22-ingress": "open_ingress",
    "exfiltration.ec2-share-ami": "share_image",
    "exfiltration.ec2-share-ebs-snapshot": "share_snapshot",
    "exfiltration.rds-share-snapshot": "share_database",
    "initial-access.console-login-without-mfa": "console_login",
    "persistence.iam-backdoor-role": "role_trust",
    "persistence.iam-backdoor-user": "backdoor_key",
    "persistence.iam-create-admin-user": "admin_user",
    "persistence.iam-create-backdoor-role": "backdoor_role",
    "persistence.iam-create-user-login-profile": "login_profile",
    "persistence.lambda-backdoor-function": "function_permission",
    "persistence.lambda-overwrite-code": "function_overwrite",
    "persistence.rolesanywhere-create-trust-anchor": "trust_anchor",
}
"""Real technique (the name of its file of records) → the simulated one that does the same."""
REAL = tuple(LIKE)
PLAIN = "0"
"""In the matrix: no technique, that is, ordinary life."""


def number_of(name: str) -> str:
    """How the matrix calls a real technique.

    >>> number_of("credential-access.ec2-get-password-data")
    '1'
    """
    return str(REAL.index(name) + 1)


def is_real(mark: str) -> bool:
    """Whether a row of the matrix is that of a real technique.

    >>> is_real("26"), is_real("backdoor_key"), is_real(PLAIN)
    (True, False, False)
    """
    return mark.isdigit() and mark != PLAIN


COMPANY = "company:"
"""In the matrix: before the name of a technique of a simulated company, which crosses products."""


def is_of_company(mark: str) -> bool:
    """Whether a row of the matrix is of an incident in a simulated company.

    >>> is_of_company("company:mass_clone"), is_of_company("backdoor_key")
    (True, False)
    """
    return mark.startswith(COMPANY)


def alike(simulated: Iterable[str]) -> list[str]:
    """The marks in the matrix of some simulated techniques and of the real ones that do the same.

    >>> alike(["trust_anchor", "mail_abuse"])
    ['26', 'mail_abuse', 'trust_anchor']
    """
    names = set(simulated)
    return sorted(names | {number_of(real) for real, like in LIKE.items() if like in names})
