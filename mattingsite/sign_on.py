"""Settings of single sign-on: the apps (configured providers) of django-allauth for OpenID Connect, SAML and LDAP.

`jobs.teams.single_sign_on` uses an app's `provider_id` to find the attribute with the groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mattingsite.environment import Environment

OIDC, SAML, LDAP = "oidc", "saml", "ldap"
# The name of the SAML provider in the site's URLs: /accounts/saml/company/acs/
_SAML_SLUG = "company"
# Names of the attributes that providers send for an account: plain names, then those of the LDAP schema and of
# Microsoft.
_SAML_ATTRIBUTES = {
    "uid": ["urn:oasis:names:tc:SAML:attribute:subject-id"],
    "email": [
        *("email", "mail", "urn:oid:0.9.2342.19200300.100.1.3"),
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    ],
    "email_verified": ["email_verified"],
    "username": [
        *("username", "uid", "urn:oid:0.9.2342.19200300.100.1.1"),
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    ],
    "first_name": [
        *("firstName", "givenName", "urn:oid:2.5.4.42"),
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
    ],
    "last_name": [
        *("lastName", "sn", "urn:oid:2.5.4.4"),
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    ],
}


@dataclass(frozen=True, slots=True)
class Directory:
    """The settings with which users and their groups are found in an LDAP directory.

    start_tls: encrypt an `ldap://` connection.
    ca_certificates: the path of a file with CA certificates; empty uses the system's certificates.
    bind_dn, bind_password: the account with which the site searches.
    people: the DN of the subtree that contains the people.
    groups: the DN of the subtree that contains the groups. If it is empty, a person's groups are read from the
    attribute `memberOf`.
    people_filter, groups_filter: LDAP filters. {name} stands for the entered name, and {dn} for the person's DN.
    """

    url: str
    start_tls: bool
    ca_certificates: str
    bind_dn: str
    bind_password: str
    people: str
    people_filter: str
    groups: str
    groups_filter: str


def oidc_apps(env: Environment) -> list[dict[str, Any]]:
    """Return a list with the app of the OpenID Connect provider; empty if MATTING_OIDC_URL is not set.

    An app is a dict in the format of django-allauth's SOCIALACCOUNT_PROVIDERS.
    """
    url = env.url("MATTING_OIDC_URL", "", schemes=("http", "https"))
    app = {
        "provider_id": OIDC,
        "name": env("MATTING_OIDC_NAME", "Single sign-on"),
        "client_id": env("MATTING_OIDC_CLIENT_ID"),
        "secret": env("MATTING_OIDC_CLIENT_SECRET"),
        "settings": {"server_url": url, "oauth_pkce_enabled": True},
    }
    return [app] if url else []


def saml_apps(env: Environment) -> list[dict[str, Any]]:
    """Return a list with the app of the SAML provider, in the format of `oidc_apps`.

    The list is empty if neither MATTING_SAML_METADATA_URL nor MATTING_SAML_SSO_URL is set.
    """
    metadata_url = env.url("MATTING_SAML_METADATA_URL", "", schemes=("http", "https"))
    sso_url = env.url("MATTING_SAML_SSO_URL", "", schemes=("http", "https"))
    entity_id = env("MATTING_SAML_ENTITY_ID")
    certificate = env("MATTING_SAML_CERTIFICATE")
    own_certificate, own_key = env("MATTING_SAML_OWN_CERTIFICATE"), env("MATTING_SAML_OWN_KEY")
    own_keys = {"x509cert": own_certificate, "private_key": own_key, "authn_request_signed": True} if own_key else {}
    app = {
        "provider_id": SAML,
        "name": env("MATTING_SAML_NAME", "Single sign-on"),
        "client_id": _SAML_SLUG,
        "settings": {
            "attribute_mapping": _SAML_ATTRIBUTES | env.pairs("MATTING_SAML_ATTRIBUTES", tuple(_SAML_ATTRIBUTES)),
            "verified_email": env.hosts("MATTING_SAML_EMAIL_DOMAINS", []),
            "idp": {
                "entity_id": entity_id or None,
                "metadata_url": metadata_url,
                "metadata_request_timeout": 5,
                "sso_url": sso_url,
                "x509cert": certificate,
            },
            "sp": {"entity_id": env("MATTING_SAML_OWN_ENTITY_ID")},
            # An unrequested response is rejected, because it may have been recorded elsewhere.
            "advanced": {"allow_single_label_domains": True, "reject_idp_initiated_sso": True, **own_keys},
        },
    }
    return [app] if metadata_url or sso_url else []


def ldap_apps(env: Environment, directory: Directory | None) -> list[dict[str, Any]]:
    """Return a list with the app of the LDAP directory; empty if `directory` is None.

    The sign-in page shows no button for this app, because users of the directory sign in with the page's form.
    """
    domains = env.hosts("MATTING_LDAP_EMAIL_DOMAINS", [])
    app = {
        "provider_id": LDAP,
        "name": "LDAP",
        "client_id": LDAP,
        "settings": {"hidden": True, "verified_email": domains},
    }
    return [app] if directory else []


def ldap_directory(env: Environment) -> Directory | None:
    """Return the settings of the LDAP directory, or None if MATTING_LDAP_URL is not set."""
    url = env.url("MATTING_LDAP_URL", "", schemes=("ldap", "ldaps"))
    directory = Directory(
        url=url,
        start_tls=env.switch("MATTING_LDAP_START_TLS", True),
        ca_certificates=env("MATTING_LDAP_CA_CERTIFICATES"),
        bind_dn=env("MATTING_LDAP_BIND_DN"),
        bind_password=env("MATTING_LDAP_BIND_PASSWORD"),
        people=env("MATTING_LDAP_PEOPLE"),
        people_filter=env("MATTING_LDAP_PEOPLE_FILTER", "(|(uid={name})(mail={name}))"),
        groups=env("MATTING_LDAP_GROUPS"),
        groups_filter=env("MATTING_LDAP_GROUPS_FILTER", "(|(member={dn})(uniqueMember={dn})(memberUid={name}))"),
    )
    return directory if url else None


def group_attributes(env: Environment) -> dict[str, str]:
    """Return for each `provider_id` the name of the claim or attribute in which the provider lists a user's groups."""
    return {
        OIDC: env("MATTING_OIDC_GROUPS_CLAIM", "groups"),
        SAML: env("MATTING_SAML_GROUPS_ATTRIBUTE", "groups"),
        LDAP: "groups",
    }


def sign_in_pages(saml: list[dict[str, Any]], oidc: list[dict[str, Any]]) -> list[str]:
    """Return the URLs of the sign-in providers from the settings. A sign-in redirects the browser to their servers.

    saml, oidc: the lists that `saml_apps` and `oidc_apps` return.
    """
    found = [app["settings"]["server_url"] for app in oidc]
    for app in saml:
        idp = app["settings"]["idp"]
        found += [url for url in (idp["metadata_url"], idp["sso_url"]) if url]
    return found
