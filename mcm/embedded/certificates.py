"""The authority of one instance and the certificate of its HTTPS port, kept in `MCM_HOME/tls`."""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("localhost",)
ADDRESSES = ("127.0.0.1", "::1")
# What kubeconfigs carry must outlive them; what is served is made anew in time.
AUTHORITY_LASTS, SERVER_LASTS = timedelta(days=3650), timedelta(days=90)
RENEW_BEFORE = timedelta(days=30)
# Clocks differ.
SKEW = timedelta(minutes=5)


class Files(NamedTuple):
    """Where they are, as PEM."""

    authority: Path
    certificate: Path
    key: Path


class _Pair(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def files(home: Path) -> Files:
    folder = home / "tls"
    return Files(folder / "ca.crt", folder / "server.crt", folder / "server.key")


def ensure(home: Path) -> bool:
    """Makes what is missing or ends soon; whether the served certificate is a new one.

    A new authority comes only when the old one ends: every kubeconfig then has to be made anew.
    """
    found = files(home)
    found.key.parent.mkdir(mode=0o700, exist_ok=True)
    key = found.authority.with_suffix(".key")
    authority = _read(found.authority, key)
    renewed = authority is None or _ends_soon(authority.certificate)
    if authority is None or renewed:
        authority = _new_authority()
        _write(found.authority, key, authority)
    served = _read(found.certificate, found.key)
    if not renewed and served is not None and not _ends_soon(served.certificate):
        return False
    _write(found.certificate, found.key, _sign(authority))
    return True


def _new_authority() -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MCM on this machine")])
    made = _begin(name, name, key, AUTHORITY_LASTS)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(_usage(signs=True), critical=True)
    return _Pair(made.sign(key, hashes.SHA256()), key)


def _sign(authority: _Pair) -> _Pair:
    """A certificate for the names of this machine on which `run` listens."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MCM")])
    names: list[x509.GeneralName] = [x509.DNSName(text) for text in NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in ADDRESSES]
    made = _begin(name, authority.certificate.subject, key, SERVER_LASTS)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(signs=False), critical=True)
    made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    made = made.add_extension(server, critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    made = made.add_extension(issuer, critical=False)
    return _Pair(made.sign(authority.key, hashes.SHA256()), key)


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - SKEW).not_valid_after(now + lasts)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return made.add_extension(own, critical=False)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _ends_soon(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_after_utc - datetime.now(UTC) < RENEW_BEFORE


def _read(certificate: Path, key: Path) -> _Pair | None:
    """None where one of the two is missing, damaged, or not the other's."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        return None
    return _Pair(found, private) if private.public_key() == found.public_key() else None


def _write(certificate: Path, key: Path, made: _Pair) -> None:
    private = made.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # The key first: a certificate without its own key is made anew.
    _replace(key, private, 0o600)
    _replace(certificate, made.certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _replace(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    fresh.replace(path)
