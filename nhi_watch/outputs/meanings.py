"""What the short ids in a notable mean: controls and framework entries, in words.

Sources: OWASP NHI Top 10 2025, NIST CSF 2.0 (`DE.CM-1` is its 1.1 spelling), MITRE ATT&CK.
"""

from __future__ import annotations

from nhi_watch.outputs.words import spoken

CONTROLS = {
    "rotate_secret": ("Rotate the secret", "Issue a new credential, move the workload to it, disable the old one."),
    "reduce_privilege": ("Reduce privilege", "Take away what the identity does not need for its usual work."),
}

FRAMEWORKS = {
    "NHI-07": "Secret misuse, anomalous access, over-privileged NHIs",
    "NHI1:2025": "Improper offboarding",
    "NHI2:2025": "Secret leakage",
    "NHI3:2025": "Vulnerable third-party NHI",
    "NHI4:2025": "Insecure authentication",
    "NHI5:2025": "Overprivileged NHI",
    "NHI6:2025": "Insecure cloud deployment configuration",
    "NHI7:2025": "Long-lived secrets",
    "NHI8:2025": "Environment isolation",
    "NHI9:2025": "NHI reuse",
    "NHI10:2025": "Human use of NHI",
    "DE.CM-1": "Continuous detection and event correlation",
    "DE.CM-01": "Networks and network services are monitored",
    "DE.CM-03": "Personnel activity and technology usage are monitored",
    "DE.CM-06": "External service provider activities are monitored",
    "DE.CM-09": "Computing and runtime environments are monitored",
    "DE.AE-02": "Potentially adverse events are analysed",
    "DE.AE-03": "Information is correlated from multiple sources",
    "DE.AE-04": "Impact and scope are understood",
    "DE.AE-06": "Information is given to staff and tools",
    "DE.AE-07": "Threat intelligence is integrated",
    "DE.AE-08": "Incidents are declared",
    "PR.AA": "Identity management, authentication, access control",
    "TA0001": "Initial Access",
    "TA0002": "Execution",
    "TA0003": "Persistence",
    "TA0004": "Privilege Escalation",
    "TA0005": "Defense Evasion",
    "TA0006": "Credential Access",
    "TA0007": "Discovery",
    "TA0008": "Lateral Movement",
    "TA0009": "Collection",
    "TA0010": "Exfiltration",
    "TA0011": "Command and Control",
    "TA0040": "Impact",
    "TA0042": "Resource Development",
    "TA0043": "Reconnaissance",
    "T1021": "Remote Services",
    "T1021.007": "Cloud Services",
    "T1059.009": "Cloud API",
    "T1069.003": "Cloud Groups",
    "T1078": "Valid Accounts",
    "T1078.004": "Cloud Accounts",
    "T1087.004": "Cloud Account",
    "T1098": "Account Manipulation",
    "T1098.001": "Additional Cloud Credentials",
    "T1098.003": "Additional Cloud Roles",
    "T1098.006": "Additional Container Cluster Roles",
    "T1110": "Brute Force",
    "T1136.003": "Cloud Account",
    "T1195": "Supply Chain Compromise",
    "T1199": "Trusted Relationship",
    "T1485": "Data Destruction",
    "T1486": "Data Encrypted for Impact",
    "T1490": "Inhibit System Recovery",
    "T1496": "Resource Hijacking",
    "T1496.001": "Compute Hijacking",
    "T1496.004": "Cloud Service Hijacking",
    "T1526": "Cloud Service Discovery",
    "T1528": "Steal Application Access Token",
    "T1530": "Data from Cloud Storage",
    "T1537": "Transfer Data to Cloud Account",
    "T1548.005": "Temporary Elevated Cloud Access",
    "T1550.001": "Application Access Token",
    "T1552": "Unsecured Credentials",
    "T1552.005": "Cloud Instance Metadata API",
    "T1555.006": "Cloud Secrets Management Stores",
    "T1562.008": "Disable or Modify Cloud Logs",
    "T1580": "Cloud Infrastructure Discovery",
    "T1606": "Forge Web Credentials",
    "T1619": "Cloud Storage Object Discovery",
    "T1648": "Serverless Execution",
    "T1651": "Cloud Administration Command",
}


def framework(id_: str) -> str:
    """The name of a framework entry, or "" when it is not known here.

    >>> framework("T1078.004"), framework("T9999")
    ('Cloud Accounts', '')
    """
    return FRAMEWORKS.get(id_, "")


def control(id_: str) -> tuple[str, str]:
    """The name of a control and what it means.

    >>> control("quarantine_identity")
    ('Quarantine identity', '')
    """
    return CONTROLS.get(id_, (spoken(id_), ""))
