"""TLS to a cluster: one verified context for each connection, and what its failures mean."""

import os
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import urllib3

from clusters.kube import errors
from clusters.kube.types import Connection

# OpenSSL's X509_V_ERR_* numbers (x509_vfy.h).
UNTRUSTED = errors.sentence(
    "The certificate of the API server was signed by an authority that is not trusted."
)
REASONS = {
    7: ("unknown_ca", UNTRUSTED),  # same name, other key
    9: ("not_yet_valid", errors.sentence("The certificate of the API server is not valid yet.")),
    10: ("expired", errors.sentence("The certificate of the API server has expired.")),
    18: ("unknown_ca", errors.sentence("The API server's own certificate is not the trusted one.")),
    19: ("unknown_ca", UNTRUSTED),
    20: ("unknown_ca", UNTRUSTED),
    21: ("unknown_ca", UNTRUSTED),
    62: (
        "wrong_name",
        errors.sentence("The certificate of the API server was made for another host name."),
    ),
    64: (
        "wrong_name",
        errors.sentence("The certificate of the API server was made for another IP address."),
    ),
}
UNVERIFIED = errors.sentence("The certificate of the API server could not be verified.")


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket with an end: past `until` (time.monotonic) every read and write times out.

    A timeout for each read is not enough: one byte a second would hold the caller for ever.
    """

    until: float | None = None

    def _arm(self) -> None:
        if self.until is not None:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the deadline has passed")
            self.settimeout(left)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """As SSLSocket's; TimeoutError past the deadline."""
        self._arm()
        return super().recv_into(buffer, nbytes, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        """As SSLSocket's; TimeoutError past the deadline."""
        self._arm()
        return super().send(data, flags)


# 30 ms and 0.9 MB for each context with the system's authorities, 0.5 ms with the cluster's own:
# all streams of a cluster share one, for as long as any of them holds it.
_contexts: WeakValueDictionary[Connection, ssl.SSLContext] = WeakValueDictionary()
_lock = Lock()


def context(connection: Connection) -> ssl.SSLContext:
    """The context of a connection: always verifying, against the cluster's own CA if it has one.

    BadCertificate when the stored certificate, key or CA cannot be used.
    """
    with _lock:
        made = _contexts.get(connection)
        if made is None:
            made = _contexts[connection] = _make(connection)
        return made


def _make(connection: Connection) -> ssl.SSLContext:
    # Not create_default_context: since Python 3.13 it asks of CAs for an authority key id, which
    # many clusters' do not have. Partial chain: an intermediate may be the anchor, as in Go.
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    made.sslsocket_class = DeadlineSocket
    made.set_alpn_protocols(["http/1.1"])
    try:
        if connection.ca is None:
            made.load_default_certs()
        else:
            made.load_verify_locations(cadata=connection.ca)
        if connection.certificate and connection.key:
            _load_pair(made, connection.certificate, connection.key)
    except (ssl.SSLError, ValueError) as error:
        words = errors.sentence("The stored certificates cannot be used; register it again.")
        raise errors.BadCertificate(words, "unusable") from error
    return made


def _load_pair(made: ssl.SSLContext, certificate: str, key: str) -> None:
    # OpenSSL's binding reads key pairs from files only. mkdtemp is 0700, mkstemp 0600.
    with tempfile.TemporaryDirectory(prefix="mcm-kube-") as folder:
        handle, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w") as file:
            file.write(certificate + key)
        made.load_cert_chain(name)
        Path(name).unlink()


def explain(error: BaseException) -> errors.KubeError:
    """The KubeError that a failure of the network, TLS or HTTP means; made for `raise … from`."""
    causes = list(_causes(error))
    for explained in (_ours, _tls, _network):
        for cause in causes:
            if found := explained(cause):
                return found
    return errors.BadAnswer("What answers there does not speak HTTP as an API server does.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all below it: `from`, `during`, and urllib3's and OSError's own arguments."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        below = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting.extend(found for found in below if isinstance(found, BaseException))


def _ours(error: BaseException) -> errors.KubeError | None:
    return error if isinstance(error, errors.KubeError) else None


def _tls(error: BaseException) -> errors.KubeError | None:
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError):
        return None
    if isinstance(error, ssl.SSLCertVerificationError):
        reason, words = REASONS.get(error.verify_code, ("invalid", UNVERIFIED))
        return errors.BadCertificate(words, reason)
    name = error.reason or ""
    if "ALERT" in name and any(word in name for word in ("CERT", "UNKNOWN_CA")):
        message = errors.sentence("The API server does not accept the client certificate.")
        return errors.BadCertificate(message, "client_refused")
    if "WRONG_VERSION" in name or "HTTP" in name:
        return errors.BadAnswer("What answers there does not speak TLS.")
    if "timed out" in str(error):
        return errors.TimedOut("The cluster did not answer in time.")
    return errors.Unreachable("The encrypted connection to the cluster failed.")


def _network(error: BaseException) -> errors.KubeError | None:
    if isinstance(error, (TimeoutError, urllib3.exceptions.TimeoutError)):
        return errors.TimedOut("The cluster did not answer in time.")
    if not isinstance(error, OSError):
        return None
    words = errors.sentence("The cluster cannot be reached over the network.")
    if isinstance(error, socket.gaierror):
        words = errors.sentence("The host name of the cluster is not known.")
    elif isinstance(error, ConnectionRefusedError):
        words = errors.sentence("The cluster refuses connections: nothing listens at its address.")
    elif isinstance(error, (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)):
        words = errors.sentence("The connection was closed by the other side.")
    return errors.Unreachable(words)
