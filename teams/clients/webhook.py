"""A webhook that is signed as standardwebhooks.com says: the receiver checks that MCM sent it.

Its three headers: `webhook-id`, `webhook-timestamp`, and `webhook-signature`, which is "v1," and
the base64 of HMAC-SHA256 over "id.timestamp.body".
"""

import base64
import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from teams.clients.errors import Undelivered

PATIENCE = 10.0


@dataclass(frozen=True)
class Hook:
    url: str
    secret: bytes = field(repr=False)
    ca_file: str = ""


def send(hook: Hook, lines: Sequence[Mapping[str, Any]]) -> None:
    """Posts the lines as `{"events": […]}`; any 2xx takes them. Raises Undelivered.

    Redirects are not followed: the settings name the address.
    """
    body = json.dumps({"events": list(lines)}, ensure_ascii=False).encode()
    # The same lines have the same id when they are sent again.
    name = f"audit-{lines[0]['seq']}-{lines[-1]['seq']}"
    sent = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "mcm",
        "webhook-id": name,
        "webhook-timestamp": sent,
        "webhook-signature": signature(hook.secret, name, sent, body),
    }
    parts = urlsplit(hook.url)
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    try:
        status = _post(hook, path, body, headers)
    except ssl.SSLCertVerificationError as error:
        raise Undelivered(f"its certificate is not accepted: {error.verify_message}") from error
    except TimeoutError as error:
        raise Undelivered(f"{parts.hostname} does not answer in time") from error
    except (OSError, http.client.HTTPException) as error:
        # Not the error's own text: it may repeat the address, whose path may be a secret.
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Undelivered(f"{parts.hostname}: {reason}") from error
    if not 200 <= status < 300:
        raise Undelivered(f"{parts.hostname} answers {status}")


def signature(secret: bytes, name: str, sent: str, body: bytes) -> str:
    signed = hmac.digest(secret, f"{name}.{sent}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def _post(hook: Hook, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    parts = urlsplit(hook.url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        trust = ssl.create_default_context(cafile=hook.ca_file or None)
        connection = http.client.HTTPSConnection(host, parts.port, timeout=PATIENCE, context=trust)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=PATIENCE)
    try:
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
