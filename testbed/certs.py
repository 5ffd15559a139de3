"""A certificate authority and what it signs. Files are made once and kept."""

import ipaddress
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=3650)
SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
SERVER_ADDRESSES = ("127.0.0.1", "10.0.0.1")


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Authority:
    """Signs certificates; made by `authority`."""

    pair: Pair

    def client(self, user: str, groups: Sequence[str] = ()) -> Pair:
        """A client certificate: Kubernetes reads user and groups from CN and O."""
        subject = _name(user, groups)
        return self._sign(subject, ExtendedKeyUsageOID.CLIENT_AUTH, [])

    def server(
        self,
        names: Sequence[str] = SERVER_NAMES,
        addresses: Sequence[str] = SERVER_ADDRESSES,
        lasts: timedelta = LIFETIME,
    ) -> Pair:
        """A serving certificate, by default for this machine and the names inside the cluster.

        Below zero, `lasts` says how long ago it expired; at most an hour, at which it begins.
        """
        every: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        every += [x509.IPAddress(ipaddress.ip_address(text)) for text in addresses]
        return self._sign(_name("kube-apiserver"), ExtendedKeyUsageOID.SERVER_AUTH, every, lasts)

    def _sign(
        self,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        names: list[x509.GeneralName],
        lasts: timedelta = LIFETIME,
    ) -> Pair:
        issuer = x509.load_pem_x509_certificate(self.pair.certificate)
        issuer_key = serialization.load_pem_private_key(self.pair.key, None)
        if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority has a key of another kind")
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, issuer.subject, key, lasts)
        builder = builder.add_extension(_key_usage(signs=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        # OpenSSL's strict checks (Python 3.13's default) want the issuer's key identifier.
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return _pem(builder.sign(issuer_key, hashes.SHA256()), key)


def authority(folder: Path, name: str) -> Authority:
    """The authority kept as `name.crt` and `name.key` in `folder`, made at the first call."""
    return Authority(kept(folder, name, lambda: _new_authority(name)))


def new_authority(name: str) -> Authority:
    """An authority that is kept in memory only."""
    return Authority(_new_authority(name))


def kept(folder: Path, name: str, make: Callable[[], Pair]) -> Pair:
    """The pair kept as `name.crt` and `name.key` in `folder`; `make` is called when missing."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    if not certificate.exists() or not key.exists():
        pair = make()
        write_private(key, pair.key)
        write_private(certificate, pair.certificate)
    return Pair(certificate.read_bytes(), key.read_bytes())


def service_account_key(folder: Path) -> Path:
    """The file `sa.key` that signs service account tokens, made at the first call."""
    path = folder / "sa.key"
    if not path.exists():
        write_private(path, _key_pem(ec.generate_private_key(ec.SECP256R1())))
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write `content` with mode 0600, at once: a reader sees the old file or the whole new one."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    unfinished.rename(path)


def _new_authority(name: str) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(name), _name(name), key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs=True), critical=True)
    return _pem(builder.sign(key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    lasts: timedelta = LIFETIME,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + lasts)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False)


def _name(common_name: str, organizations: Sequence[str] = ()) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key))


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # Kubernetes reads its service account key in this format only.
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
