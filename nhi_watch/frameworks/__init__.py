"""OWASP NHI, NIST CSF and ATT&CK ids as data."""
