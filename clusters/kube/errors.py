"""What can go wrong with a cluster. `str(error)` is a sentence that is safe to show.

`code` is a stable slug, for translations and for tests.
"""

import re
import unicodedata
from typing import NamedTuple

LONGEST = 300


def safe_text(text: str, limit: int = LONGEST) -> str:
    """One line without control or format characters, at most `limit` characters long."""
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: limit * 4])
    line = " ".join(plain.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sentence(text: str) -> str:
    """The text as it is. Marks what the pages translate; the adapter itself speaks English."""
    return text


class KubeError(Exception):
    """A cluster refused, failed or cannot be reached; `str(error)` never holds a secret."""

    code: str = "kube_error"

    def __init__(self, message: str) -> None:
        super().__init__(safe_text(message))


class Unreachable(KubeError):
    """No connection: refused, reset, no such name, no route, or an address that is not allowed."""

    code = "unreachable"


# For AddressRefused: what is refused, in its words before the address is filled in.
NEVER_ALLOWED = sentence(
    "The address %(address)s is refused: it is a link-local, metadata or multicast address."
)
NOT_LISTED = sentence(
    "The address %(address)s is refused: it is not public. If it is a cluster's, an operator of"
    " MCM allows it by adding %(rule)s to the setting MCM_CLUSTER_ADDRESSES."
)


_FILLED_IN = {
    words: re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>\\S+)", re.escape(words)))
    for words in (NEVER_ALLOWED, NOT_LISTED)
}


def taken_apart(text: str) -> tuple[str, dict[str, str]]:
    """What was stored of an error as the words to translate and what fills them in, if anything."""
    for words, pattern in _FILLED_IN.items():
        if found := pattern.fullmatch(text):
            return words, found.groupdict()
    return text, {}


class AddressRefused(Unreachable):
    """An address that MCM must not connect to; nothing was sent.

    `words` is NEVER_ALLOWED or NOT_LISTED, `facts` what fills it in: the address and the rule
    that would allow it.
    """

    code = "address_refused"

    def __init__(self, words: str, address: str, port: int) -> None:
        rule = f"[{address}/128]:{port}" if ":" in address else f"{address}/32:{port}"
        self.words = words
        self.facts = {"address": address, "rule": rule}
        super().__init__(words % self.facts)


class TimedOut(KubeError):
    """The deadline passed before the whole answer was there."""

    code = "timed_out"


class BadCertificate(KubeError):
    """TLS failed; nothing was sent. `reason` says exactly why, `code` is `certificate_<reason>`."""

    code = "bad_certificate"

    def __init__(self, message: str, reason: str = "invalid") -> None:
        """`reason`: expired, not_yet_valid, unknown_ca, wrong_name, client_refused or invalid."""
        super().__init__(message)
        self.reason = reason
        self.code = f"certificate_{reason}"


class Cause(NamedTuple):
    """A part of a refusal: a field that is wrong, or another manager's; any of them may be ""."""

    reason: str
    field: str
    message: str


class Refused(KubeError):
    """The API server answered with an HTTP error; `status` is its number.

    `causes` says what is wrong by field, where the server does. These may quote what was sent.
    """

    code = "refused"
    causes: tuple[Cause, ...] = ()

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unauthorized(Refused):
    """401: the credential is not (or no longer) known to the cluster."""

    code = "unauthorized"


class Forbidden(Refused):
    """403: known, but the cluster's RBAC says no; the message keeps the server's sentence."""

    code = "forbidden"


class NotFound(Refused):
    """404: no such object, or the cluster does not have this kind."""

    code = "not_found"


class Conflict(Refused):
    """409: the object changed meanwhile or exists already."""

    code = "conflict"


class Expired(Refused):
    """410: the resource version or the continue token is too old; list again."""

    code = "expired"


class TooManyRequests(Refused):
    """429; `retry_after` is in seconds, None when the server did not say."""

    code = "too_many_requests"

    def __init__(self, message: str, status: int = 429, retry_after: float | None = None) -> None:
        super().__init__(message, status)
        self.retry_after = retry_after


class ServerFailed(Refused):
    """5xx: the API server itself is in trouble; `retry_after` as in TooManyRequests."""

    code = "server_failed"

    def __init__(self, message: str, status: int = 500, retry_after: float | None = None) -> None:
        super().__init__(message, status)
        self.retry_after = retry_after


class BadAnswer(KubeError):
    """What answered is not Kubernetes, or the answer is cut, undecodable or too large."""

    code = "bad_answer"


class KubeconfigError(ValueError):
    """A kubeconfig that is not accepted.

    `field` is the place (`users[0].user.exec`), `reason` a sentence without any value of the file,
    `code` a stable slug.
    """

    def __init__(self, field: str, reason: str, code: str = "invalid") -> None:
        self.field = safe_text(field, 120)
        self.reason = safe_text(reason)
        self.code = code
        super().__init__(f"{self.field}: {self.reason}" if self.field else self.reason)
