"""A function that starts an OpenLDAP server in a temporary folder, with people, groups and its own certificate."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mattingsite.sign_on import Directory
from tests.jobs.fetch.certificates import Authority
from tests.stack import free_port, wait_for

HOST = "127.0.0.1"  # the LDAP library replaces "localhost" by the machine's name before it looks into the certificate
BIND_DN, BIND_PASSWORD = "cn=keyline,dc=example,dc=com", "the site's own password"
PASSWORD = "known to the directory alone"

_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
TLSCertificateFile {folder}/127.0.0.1.pem
TLSCertificateKeyFile {folder}/127.0.0.1.pem
TLSCACertificateFile {folder}/authority.pem
database mdb
suffix "dc=example,dc=com"
directory {folder}/data
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=keyline,dc=example,dc=com" read by * none
"""

_TREE = f"""
dn: dc=example,dc=com
objectClass: domain
dc: example

dn: {BIND_DN}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: keyline
userPassword: {BIND_PASSWORD}

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups
"""


@dataclass(frozen=True)
class LdapServer:
    """A running LDAP server. directory: the settings that a site needs to use the server."""

    directory: Directory
    secure_url: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def running_ldap(folder: Path, people: dict[str, dict[str, str]], groups: dict[str, list[str]]) -> Iterator[LdapServer]:
    """Start an LDAP server, yield it, and stop it at the end of the block.

    Skip the test if slapd or python-ldap is not installed. A group has the class posixGroup if its name begins with
    `posix`, else groupOfNames. Each person has the password `PASSWORD`.
    people: the attributes of each person by uid. groups: the uids of the members by group name.
    """
    pytest.importorskip("ldap", reason="python-ldap is not installed: .ci/ldap")
    program = shutil.which("slapd") or "/usr/sbin/slapd"
    if not Path(program).exists():
        pytest.skip("slapd is not installed: apt-get install slapd")
    (folder / "data").mkdir(parents=True)
    authority = Authority(folder)
    authority.server_context(HOST)
    (folder / "slapd.conf").write_text(_CONFIGURATION.format(folder=folder))
    (folder / "tree.ldif").write_text(_TREE + "".join(_entries(people, groups)))
    add = [program, "-T", "add", "-q", "-f", folder / "slapd.conf", "-l", folder / "tree.ldif"]
    subprocess.run(add, check=True, capture_output=True)
    port, secure_port = free_port(), free_port()
    urls = f"ldap://{HOST}:{port} ldaps://{HOST}:{secure_port}"
    command = [program, "-d", "0", "-h", urls, "-f", folder / "slapd.conf"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(port), timeout_s=20, what="slapd does not answer")
        directory = Directory(
            url=f"ldap://{HOST}:{port}",
            start_tls=True,
            ca_certificates=str(authority.certificate_path),
            bind_dn=BIND_DN,
            bind_password=BIND_PASSWORD,
            people="ou=people,dc=example,dc=com",
            people_filter="(|(uid={name})(mail={name}))",
            groups="ou=groups,dc=example,dc=com",
            groups_filter="(|(member={dn})(uniqueMember={dn})(memberUid={name}))",
        )
        yield LdapServer(directory, f"ldaps://{HOST}:{secure_port}", process)
    finally:
        process.kill()
        process.wait()


def _entries(people: dict[str, dict[str, str]], groups: dict[str, list[str]]) -> Iterator[str]:
    for uid, attributes in people.items():
        of_groups = [name for name, members in groups.items() if uid in members and not name.startswith("posix")]
        lines = [f"{name}: {value}" for name, value in attributes.items()]
        lines += [f"memberOf: cn={name},ou=groups,dc=example,dc=com" for name in of_groups]
        yield "\n".join(
            [
                f"\ndn: {_dn(uid)}",
                "objectClass: inetOrgPerson",
                *(f"uid: {uid}", f"cn: {uid}", f"sn: {uid.title()}", f"userPassword: {PASSWORD}"),
                *lines,
                "",
            ]
        )
    for number, (name, members) in enumerate(groups.items()):
        if name.startswith("posix"):
            kind = ["objectClass: posixGroup", f"gidNumber: {5000 + number}", *(f"memberUid: {uid}" for uid in members)]
        else:
            kind = ["objectClass: groupOfNames", *(f"member: {_dn(uid)}" for uid in members)]
        yield "\n".join([f"\ndn: cn={name},ou=groups,dc=example,dc=com", f"cn: {name}", *kind, ""])


def _dn(uid: str) -> str:
    return f"uid={uid},ou=people,dc=example,dc=com"


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
