"""Certificates, keys and tokens as texts: are they what they claim to be, and until when."""

import base64
import binascii
from datetime import UTC, datetime

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID

from clusters.kube.errors import KubeconfigError, safe_text, sentence
from clusters.kube.types import Connection

MOST_CERTIFICATES = 200
LONGEST_TOKEN = 16 * 1024
PEM = serialization.Encoding.PEM
_GROUP = NameOID.ORGANIZATION_NAME  # Kubernetes takes a certificate's organizations as groups


def decode_base64(value: str, field: str) -> bytes:
    """The bytes of a `…-data` field; KubeconfigError when it is not base64."""
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise KubeconfigError(field, "This is not valid base64.", "invalid_base64") from None


def certificates(pem: bytes, field: str) -> str:
    """Only the certificates of `pem`, as PEM; KubeconfigError when there is none or one is bad."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KubeconfigError(
            field, "This holds no valid PEM certificate.", "invalid_pem"
        ) from None
    if len(found) > MOST_CERTIFICATES:
        raise KubeconfigError(field, "This holds too many certificates.", "too_large")
    return "".join(each.public_bytes(PEM).decode() for each in found)


def private_key(pem: bytes, field: str) -> tuple[str, PrivateKeyTypes]:
    """The key as unencrypted PKCS 8 PEM, and as an object to compare."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        reason = sentence("The private key is encrypted; store it without a passphrase.")
        raise KubeconfigError(field, reason, "encrypted_key") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KubeconfigError(
            field, "This holds no valid PEM private key.", "invalid_pem"
        ) from None
    plain = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return plain.decode(), key


def check_pair(certificate: str, key: PrivateKeyTypes, field: str) -> None:
    """KubeconfigError unless the first certificate was made for this private key."""
    leaf = x509.load_pem_x509_certificate(certificate.encode())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    try:
        same = leaf.public_key().public_bytes(PEM, form) == key.public_key().public_bytes(PEM, form)
    except (ValueError, UnsupportedAlgorithm):
        same = False
    if not same:
        reason = sentence("The client certificate and the client key do not belong together.")
        raise KubeconfigError(field, reason, "key_mismatch")


def check_token(token: str, field: str) -> str:
    """The token without outer white space; it becomes a header, so one line of printable ASCII."""
    token = token.strip()
    if not token or len(token) > LONGEST_TOKEN:
        raise KubeconfigError(field, "The token is empty or too long.", "invalid_token")
    if not (token.isascii() and token.isprintable() and " " not in token):
        reason = sentence("The token is not one line of printable ASCII.")
        raise KubeconfigError(field, reason, "invalid_token")
    return token


def expiry(connection: Connection) -> datetime | None:
    """When the first of the connection's credentials ends, in UTC; None when they do not say."""
    ends = []
    if connection.certificate:
        leaf = x509.load_pem_x509_certificate(connection.certificate.encode())
        ends.append(leaf.not_valid_after_utc)
    if connection.token and (end := _token_expiry(connection.token)):
        ends.append(end)
    return min(ends, default=None)


def subject(connection: Connection) -> str:
    """As whom the credentials sign in, as far as they say: a user and groups, or an account.

    "" when they do not say. What a token claims is for the cluster to verify.
    """
    if connection.certificate:
        name = x509.load_pem_x509_certificate(connection.certificate.encode()).subject
        users = [str(each.value) for each in name.get_attributes_for_oid(NameOID.COMMON_NAME)]
        groups = [str(each.value) for each in name.get_attributes_for_oid(_GROUP)]
        found = ", ".join(users) + (f" ({', '.join(groups)})" if groups else "")
    else:
        claims = _claims(connection.token or "")
        found = claims.sub if claims else ""
    return safe_text(found)


class _Claims(msgspec.Struct):
    exp: float | None = None
    sub: str = ""


def _token_expiry(token: str) -> datetime | None:
    claims = _claims(token)
    try:
        return datetime.fromtimestamp(claims.exp, UTC) if claims and claims.exp else None
    except (ValueError, OverflowError, OSError):
        return None


def _claims(token: str) -> _Claims | None:
    # RFC 7519. Unverified: only the cluster can verify it, and wrong words harm nobody.
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(payload, type=_Claims)
    except ValueError:
        return None


def encode_base64(pem: str) -> str:
    """A PEM text as the `…-data` fields of a kubeconfig hold it."""
    return base64.b64encode(pem.encode()).decode()
