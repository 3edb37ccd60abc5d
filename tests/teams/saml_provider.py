"""A SAML identity provider for tests: it reads the request of a site, and returns the form that a browser would post.

It signs with the package signxml. The site checks signatures with a different implementation.
"""

from __future__ import annotations

import base64
import datetime as dt
import uuid
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import XMLSigner
from signxml.algorithms import SignatureConstructionMethod

ENTITY_ID = "https://login.example.com/saml"
SSO_URL = "https://login.example.com/saml/sign-in"
_NAMES = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "samlp": "urn:oasis:names:tc:SAML:2.0:protocol"}

_ASSERTION = """
<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_{id}" Version="2.0" IssueInstant="{now}">
  <saml:Issuer>{issuer}</saml:Issuer>
  <ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>
  <saml:Subject>
    <saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{name}</saml:NameID>
    <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <saml:SubjectConfirmationData NotOnOrAfter="{until}" Recipient="{acs}" InResponseTo="{request}"/>
    </saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="{since}" NotOnOrAfter="{until}">
    <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>
  </saml:Conditions>
  <saml:AuthnStatement AuthnInstant="{now}" SessionIndex="_{id}">
    <saml:AuthnContext>
      <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
    </saml:AuthnContext>
  </saml:AuthnStatement>
  <saml:AttributeStatement>{attributes}</saml:AttributeStatement>
</saml:Assertion>
"""

_RESPONSE = """
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
    ID="_r{id}" Version="2.0" IssueInstant="{now}" Destination="{acs}" InResponseTo="{request}">
  <saml:Issuer>{issuer}</saml:Issuer>
  <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
</samlp:Response>
"""


_METADATA = """
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{issuer}">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
        <ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
"""


@dataclass(frozen=True)
class Request:
    """A SAML request of a site. acs: the URL to which the response is posted. issuer: the entity id of the site."""

    id: str
    acs: str
    issuer: str
    parameters: dict[str, list[str]]

    @classmethod
    def of(cls, url: str) -> Request:
        """Return the request in the URL to which the site redirects the browser."""
        query = parse_qs(urlsplit(url).query)
        root = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))
        issuer = root.find("saml:Issuer", _NAMES).text
        return cls(root.get("ID"), root.get("AssertionConsumerServiceURL"), issuer, query)


@dataclass
class SamlProvider:
    """A SAML provider with its own key and certificate."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @cached_property
    def certificate(self) -> str:
        """Return the certificate in PEM format."""
        now = dt.datetime.now(dt.UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test provider")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    @property
    def private_key(self) -> str:
        """Return the private key in PEM format."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def metadata(self) -> str:
        """Return the XML metadata that describes the provider."""
        certificate = "".join(self.certificate.splitlines()[1:-1])
        return _METADATA.format(issuer=ENTITY_ID, sso=SSO_URL, certificate=certificate).strip()

    def form(
        self,
        asked: Request,
        name: str,
        attributes: dict[str, list[str]],
        *,
        age_s: float = 0,
        signed: bool = True,
        **changes: str,
    ) -> dict[str, str]:
        """Return the fields of the form with which a browser sends the provider's response to the site.

        asked: the site's request. name: the user's name. attributes: the user's attributes. age_s: the age of the
        response in seconds. signed: whether the response is signed. changes: values that replace parts of the response,
        such as `audience`.
        """
        now = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age_s)
        values: dict[str, Any] = {
            "id": uuid.uuid4().hex,
            "now": _text(now),
            "since": _text(now - dt.timedelta(seconds=30)),
            "until": _text(now + dt.timedelta(seconds=60)),
            "issuer": ENTITY_ID,
            "name": escape(name),
            "acs": asked.acs,
            "request": asked.id,
            "audience": asked.issuer,
            "attributes": "".join(_attribute(key, found) for key, found in attributes.items()),
            **changes,
        }
        response = etree.fromstring(_RESPONSE.format(**values).strip())
        assertion = etree.fromstring(_ASSERTION.format(**values).strip())
        if signed:
            signer = XMLSigner(
                method=SignatureConstructionMethod.enveloped, c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"
            )
            assertion = signer.sign(
                assertion, key=self.private_key, cert=self.certificate, reference_uri=f"_{values['id']}"
            )
        else:
            assertion.remove(assertion.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
        response.append(assertion)
        relay_state = asked.parameters.get("RelayState", [""])[0]
        return {"SAMLResponse": base64.b64encode(etree.tostring(response)).decode(), "RelayState": relay_state}


def _attribute(name: str, values: list[str]) -> str:
    inner = "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{name}">{inner}</saml:Attribute>'


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
