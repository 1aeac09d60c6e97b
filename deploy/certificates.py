"""A small certificate authority, and a certificate for each server of compose.yaml; for trials, until operators use their own.

They are files in the folder of secrets: `tls_authority` with the CA certificates that all clients trust, and for each
server `tls_certificate_<server>` and `tls_key_<server>`. Files of another authority are never replaced.
"""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import click
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy.engine import make_url

from deploy.health import GATEWAY_NAME
from deploy.options import takes_json
from deploy.secrets import Secrets

AUTHORITY = "tls_authority"
AUTHORITY_KEY = "tls_authority_key"
SERVERS = ("postgres", "broker", "gateway")
#: Names of the gateway for the operator's container, the proxy and the health check, and for trials on this machine.
GATEWAY_NAMES = (GATEWAY_NAME, "localhost", "127.0.0.1")
_SERVER_DAYS = 397
_AUTHORITY_DAYS = 3650
#: Certificates with less time left are renewed by `liaison init`, and reported by `liaison certificates` and the doctor.
_RENEW = timedelta(days=90)
_SOON = timedelta(days=30)
_CLOCKS_DIFFER = timedelta(hours=1)


class CertificatesMissing(Exception):
    """A server has no certificate, and there is no CA key to make one."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One server's certificate, as seen by a client."""

    server: str
    names: tuple[str, ...]
    issuer: str
    expires: str
    days: int
    #: The problem, as the end of a sentence; empty for none.
    fault: str


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def issued(self, certificate: x509.Certificate) -> bool:
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True


def certificate_file(server: str) -> str:
    """Return the file name of a server's certificate, with its intermediate certificates."""
    return f"tls_certificate_{server}"


def key_file(server: str) -> str:
    """Return the file name of a server's key."""
    return f"tls_key_{server}"


def files() -> list[str]:
    """Return the names of all files that a deployment needs, without the CA's key."""
    return [AUTHORITY, *(name for server in SERVERS for name in (certificate_file(server), key_file(server)))]


def certify(secrets: Secrets, names: Mapping[str, Iterable[str]], *, now: datetime | None = None) -> list[str]:
    """Write missing certificates, and renew this CA's if they expire soon or lack a name; return the files written.

    :param names: by server, its host names and addresses.
    :raises CertificatesMissing: a certificate is missing and cannot be made here.
    """
    now = now or datetime.now(UTC)
    secrets.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written: list[str] = []
    authority = _authority(secrets, written, now)
    for server, wanted in names.items():
        certificate, key = certificate_file(server), key_file(server)
        present = _certificates(secrets.folder / certificate)
        if present and (authority is None or not authority.issued(present[0])):
            if not (secrets.folder / key).exists():
                raise CertificatesMissing(f"{key} is missing: {certificate} is of another authority, and its key is wherever that came from.")
            continue
        if present and (secrets.folder / key).exists() and not _is_worn(present[0], wanted, now):
            continue
        if authority is None:
            raise CertificatesMissing(
                f"{certificate} is missing, and {AUTHORITY_KEY} is not here to make one: put {certificate} and {key} of your authority there."
            )
        made, its_key = _issue(authority, server, list(wanted), now)
        secrets.derive(key, _pem_of_key(its_key))
        secrets.derive(certificate, _pem(made))
        written += [certificate, key]
    return written


def show(folder: Path, names: Mapping[str, str], *, now: datetime | None = None) -> list[Shown]:
    """Return each server's certificate as clients see it.

    :param names: by server, the host name that clients use.
    """
    now = now or datetime.now(UTC)
    return [_shown(folder, server, name, now) for server, name in names.items()]


def dialled(folder: Path) -> dict[str, str]:
    """Return the host name that clients use for each server, from the URLs in a folder of secrets."""
    secrets = Secrets(folder)
    hosts = {"postgres": secrets["database_url"], "broker": secrets["broker_url_deployer"]}
    return {**{server: make_url(address).host or "" for server, address in hosts.items()}, "gateway": GATEWAY_NAME}


def _authority(secrets: Secrets, written: list[str], now: datetime) -> _Authority | None:
    # The file may contain several CA certificates; ours is the one whose key is here.
    bundle = _certificates(secrets.folder / AUTHORITY)
    if not (secrets.folder / AUTHORITY_KEY).exists():
        if bundle:
            return None
        secrets.derive(AUTHORITY_KEY, _pem_of_key(ec.generate_private_key(ec.SECP256R1())))
        written.append(AUTHORITY_KEY)
    key = load_pem_private_key(secrets[AUTHORITY_KEY].encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    ours = next((each for each in bundle if each.public_key() == key.public_key()), None)
    if ours is None and bundle:
        return None
    if ours is None or ours.not_valid_after_utc - now < timedelta(days=_SERVER_DAYS):
        # With the same key and name, so that existing certificates stay valid.
        made = _build_authority(key, now)
        others = [_pem(each) for each in bundle if each is not ours]
        secrets.derive(AUTHORITY, "\n".join([_pem(made), *others]))
        written.append(AUTHORITY)
        ours = made
    return _Authority(ours, key)


def _build_authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Liaison's own authority")])
    builder = _builder(name, name, key.public_key(), now, timedelta(days=_AUTHORITY_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, SHA256())


def _issue(authority: _Authority, server: str, names: list[str], now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, server)])
    builder = _builder(subject, authority.certificate.subject, key.public_key(), now, timedelta(days=_SERVER_DAYS))
    builder = builder.add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(digital_signature=True), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return builder.add_extension(issuer, critical=False).sign(authority.key, SHA256()), key


def _builder(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, lasts: timedelta) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - _CLOCKS_DIFFER).not_valid_after(now + lasts)


def _usage(**for_what: bool) -> x509.KeyUsage:
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    return x509.KeyUsage(**{each: for_what.get(each, False) for each in every}, encipher_only=False, decipher_only=False)


def _is_worn(certificate: x509.Certificate, wanted: Iterable[str], now: datetime) -> bool:
    return certificate.not_valid_after_utc - now < _RENEW or not set(wanted) <= set(_names(certificate))


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress)))


def _certificates(path: Path) -> list[x509.Certificate]:
    if not path.exists():
        return []
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as broken:
        raise CertificatesMissing(f"{path.name} holds no certificate.") from broken


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode().strip()


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()


def _shown(folder: Path, server: str, name: str, now: datetime) -> Shown:
    missing = [file for file in (AUTHORITY, certificate_file(server), key_file(server)) if not (folder / file).exists()]
    if missing:
        return Shown(server, (), "", "", 0, f"{', '.join(missing)} is missing")
    try:
        certificate = _certificates(folder / certificate_file(server))[0]
    except CertificatesMissing as broken:
        return Shown(server, (), "", "", 0, str(broken).rstrip("."))
    left = certificate.not_valid_after_utc - now
    fault = _refused(folder, server, name)
    if not fault and left < _SOON:
        fault = "it expires soon"
    expires = certificate.not_valid_after_utc.date().isoformat()
    return Shown(server, _names(certificate), certificate.issuer.rfc4514_string(), expires, left.days, fault)


def _refused(folder: Path, server: str, name: str) -> str:
    """Return why a client of this host name would reject the server, or an empty string; does a TLS handshake in memory."""
    try:
        at_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        at_server.load_cert_chain(folder / certificate_file(server), folder / key_file(server))
        at_client = ssl.create_default_context(cafile=str(folder / AUTHORITY))
    except (ssl.SSLError, OSError):
        return "certificate, key and authority cannot be read or do not belong together"
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (at_client.wrap_bio(down, up, server_hostname=name), at_server.wrap_bio(up, down, server_side=True))
    try:
        # Each side speaks at most three times.
        for side in sides * 3:
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    except ssl.SSLCertVerificationError as refused:
        return f"a client that dials {name} refuses it: {refused.verify_message.rstrip('.')}"
    except ssl.SSLError as refused:
        return f"no client can use it: {refused.reason}"
    return ""


@click.command()
@click.option(
    "--secrets",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="SECRETS",
    default=Path(__file__).resolve().parent / "secrets",
    help="The folder of secrets; deploy/secrets unless given.",
)
@takes_json
def certificates(folder: Path, *, as_json: bool) -> None:
    """Show the certificates of a deployment's servers and when they expire; exit status 0 only if clients take them all.

    `liaison init` renews those of its own authority that have less than 90 days left; then restart their servers.
    """
    try:
        found = show(folder, dialled(folder))
    except FileNotFoundError as missing:
        raise click.ClickException(f"{missing.filename} is missing; liaison init writes it.") from missing
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found]))
    else:
        for each in found:
            click.echo(f"{'FAIL' if each.fault else 'ok  '}  {sentence_of(each)}")
    sys.exit(1 if any(each.fault for each in found) else 0)


def sentence_of(shown: Shown) -> str:
    """Describe one certificate in a sentence."""
    if not shown.expires:
        return f"{shown.server}: {shown.fault}."
    known = f"{', '.join(shown.names)}, by {shown.issuer}, until {shown.expires} ({shown.days} days)"
    return f"{shown.server}: {known}{f': {shown.fault}' if shown.fault else ''}."
