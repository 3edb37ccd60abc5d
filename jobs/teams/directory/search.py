"""Search for people and their groups in an LDAP directory, and check their passwords there.

Only this module uses python-ldap.
"""

from __future__ import annotations

import uuid
from typing import Any

import ldap
from ldap.filter import escape_filter_chars
from ldap.ldapobject import LDAPObject

from jobs.teams.directory.person import DirectoryPerson, DirectoryUnavailable
from jobs.teams.outside_services import OutsideAway, OutsideService
from mattingsite.sign_on import Directory

TIMEOUT_S = 5
service = OutsideService(DirectoryUnavailable)
_NAMES = ("uid", "sAMAccountName")
_ATTRIBUTES = (*_NAMES, "mail", "givenName", "sn", "memberOf", "entryUUID", "objectGUID")
# The errors of a server for a wrong password, and for an account that is locked, expired or must not sign in.
_REFUSALS = (
    ldap.INVALID_CREDENTIALS,
    ldap.INAPPROPRIATE_AUTH,
    ldap.UNWILLING_TO_PERFORM,
    ldap.INSUFFICIENT_ACCESS,
    ldap.CONSTRAINT_VIOLATION,
)


def person_sign_in(directory: Directory, *, name: str, password: str) -> DirectoryPerson | None:
    """Return the person with this name and password in the LDAP directory.

    Return None if the name is unknown or ambiguous, the password is wrong or empty, or the account is locked. Raise
    DirectoryUnavailable if the directory does not work. The search and each check of a password (LDAP bind) take at
    most TIMEOUT_S seconds.
    directory: the settings of the directory.
    """
    if not name or not password:  # a bind without a password would succeed as anonymous
        return None
    try:
        with service.request():
            return _sign_in(directory, name, password)
    except OutsideAway as error:
        raise DirectoryUnavailable(str(error)) from error


def _sign_in(directory: Directory, name: str, password: str) -> DirectoryPerson | None:
    try:
        connection = _connection(directory)
        try:
            connection.simple_bind_s(directory.bind_dn, directory.bind_password)
            found = _people(connection, directory, name)
            if len(found) != 1:
                return None
            dn, attributes = found[0]
            if not _password_is_right(directory, dn, password):
                return None
            return _person(dn, attributes, name, _groups(connection, directory, dn, attributes, name))
        finally:
            connection.unbind_s()
    except ldap.LDAPError as error:
        raise DirectoryUnavailable(_reason(error)) from error


def _connection(directory: Directory) -> LDAPObject:
    connection = ldap.initialize(directory.url, bytes_mode=False)
    connection.set_option(ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3)
    connection.set_option(ldap.OPT_NETWORK_TIMEOUT, TIMEOUT_S)
    connection.set_option(ldap.OPT_TIMEOUT, TIMEOUT_S)
    connection.set_option(ldap.OPT_REFERRALS, 0)
    if directory.url.startswith("ldaps") or directory.start_tls:
        connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
        if directory.ca_certificates:
            connection.set_option(ldap.OPT_X_TLS_CACERTFILE, directory.ca_certificates)
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)  # applies the two options above
    if directory.start_tls and not directory.url.startswith("ldaps"):
        connection.start_tls_s()
    return connection


def _password_is_right(directory: Directory, dn: str, password: str) -> bool:
    connection = _connection(directory)
    try:
        connection.simple_bind_s(dn, password)
    except _REFUSALS:
        return False
    finally:
        connection.unbind_s()
    return True


def _people(connection: LDAPObject, directory: Directory, name: str) -> list[tuple[str, dict[str, list[bytes]]]]:
    search = directory.people_filter.replace("{name}", escape_filter_chars(name))
    return _search(connection, directory.people, search, _ATTRIBUTES)


def _groups(
    connection: LDAPObject, directory: Directory, dn: str, attributes: dict[str, list[bytes]], name: str
) -> list[str]:
    """Return the names (`cn`) of a person's groups.

    The groups are searched if the settings define a search; otherwise they are read from `memberOf`.
    """
    if not directory.groups:
        return sorted({_first_value(group.decode()) for group in attributes.get("memberOf", [])})
    account = _first(attributes, *_NAMES) or name
    search = directory.groups_filter.replace("{dn}", escape_filter_chars(dn))
    search = search.replace("{name}", escape_filter_chars(account))
    found = _search(connection, directory.groups, search, ("cn",))
    return sorted({value.decode() for _, group in found for value in group.get("cn", [])})


def _search(
    connection: LDAPObject, base: str, search: str, attributes: tuple[str, ...]
) -> list[tuple[str, dict[str, list[bytes]]]]:
    rows: list[Any] = connection.search_ext_s(base, ldap.SCOPE_SUBTREE, search, list(attributes), timeout=TIMEOUT_S)
    return [(dn, found) for dn, found in rows if dn is not None]  # without a DN: a referral to another server


def _person(dn: str, attributes: dict[str, list[bytes]], name: str, groups: list[str]) -> DirectoryPerson:
    return DirectoryPerson(
        uid=_identifier(dn, attributes),
        username=_first(attributes, *_NAMES) or name,
        email=_first(attributes, "mail"),
        first_name=_first(attributes, "givenName"),
        last_name=_first(attributes, "sn"),
        groups=groups,
    )


def _identifier(dn: str, attributes: dict[str, list[bytes]]) -> str:
    """Return the permanent identifier of an LDAP entry: its UUID (Active Directory: its GUID), otherwise its DN."""
    if attributes.get("objectGUID"):
        return str(uuid.UUID(bytes_le=attributes["objectGUID"][0]))
    return _first(attributes, "entryUUID") or dn.lower()


def _first(attributes: dict[str, list[bytes]], *names: str) -> str:
    for name in names:
        if attributes.get(name):
            return attributes[name][0].decode()
    return ""


def _first_value(dn: str) -> str:
    """Return the value of the first part of a DN: `designers` for `cn=designers,ou=groups,dc=example,dc=com`."""
    value: str = ldap.dn.str2dn(dn)[0][0][1]
    return value


def _reason(error: ldap.LDAPError) -> str:
    details = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return ": ".join(str(details[key]) for key in ("desc", "info") if details.get(key)) or type(error).__name__
