"""Checks of the settings for single sign-on with SAML and for the LDAP directory.

Some of these settings are required only if another setting is set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mattingsite.packages import is_installed
from mattingsite.sign_on import Directory


def saml_problems(app: dict[str, Any]) -> list[str]:
    """Return one line for each missing or invalid setting of the SAML provider; an empty list if there is none.

    app: allauth's settings of the provider.
    """
    idp, advanced = app["settings"]["idp"], app["settings"]["advanced"]
    found = []
    if not all(map(is_installed, ("onelogin", "xmlsec"))):
        name = "MATTING_SAML_METADATA_URL" if idp["metadata_url"] else "MATTING_SAML_SSO_URL"
        found.append(f"{name} is set, and its packages are not installed: pip install -r requirements-saml.txt")
    if not idp["metadata_url"]:
        for name, value in (
            ("MATTING_SAML_ENTITY_ID", idp["entity_id"]),
            ("MATTING_SAML_CERTIFICATE", idp["x509cert"]),
        ):
            if not value:
                found.append(f"MATTING_SAML_SSO_URL is set, and {name} is empty")
    if idp["x509cert"] and not _is_certificate(idp["x509cert"]):
        found.append("MATTING_SAML_CERTIFICATE is not a certificate in PEM form")
    if "private_key" in advanced:
        if not _is_private_key(advanced["private_key"]):
            found.append("MATTING_SAML_OWN_KEY is not a private key in PEM form without a password")
        if not _is_certificate(advanced["x509cert"]):
            found.append(
                "MATTING_SAML_OWN_KEY is set, and MATTING_SAML_OWN_CERTIFICATE is not its certificate in PEM form"
            )
    return found


def ldap_problems(directory: Directory) -> list[str]:
    """Return one line for each missing or invalid setting of the LDAP directory; an empty list if there is none."""
    found = []
    if not is_installed("ldap"):
        found.append("MATTING_LDAP_URL is set, and its package is not installed: pip install -r requirements-ldap.txt")
    if not directory.people:
        found.append("MATTING_LDAP_URL is set, and MATTING_LDAP_PEOPLE is empty")
    if directory.ca_certificates and not Path(directory.ca_certificates).is_file():
        found.append(f"MATTING_LDAP_CA_CERTIFICATES={directory.ca_certificates} is not a file")
    for name, text, needed in (
        ("MATTING_LDAP_PEOPLE_FILTER", directory.people_filter, ("{name}",)),
        ("MATTING_LDAP_GROUPS_FILTER", directory.groups_filter, ("{name}", "{dn}")),
    ):
        is_balanced = text.startswith("(") and text.endswith(")") and text.count("(") == text.count(")")
        if not is_balanced or not any(part in text for part in needed):
            found.append(f"{name}={text} must be a filter in brackets that contains {' or '.join(needed)}")
    if bool(directory.bind_dn) != bool(directory.bind_password):
        found.append("MATTING_LDAP_BIND_DN and MATTING_LDAP_BIND_PASSWORD must be set together")
    return found


def _is_certificate(text: str) -> bool:
    try:
        x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        return False
    return True


def _is_private_key(text: str) -> bool:
    try:
        load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
