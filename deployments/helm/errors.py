"""What can go wrong with Helm, in words a person may read.

Every error has a `code` (a stable word for programs) and a `message` (safe to show: credentials
are never given to Helm as arguments, and temporary paths are taken out of its answers).
"""

import re
from typing import Final, NoReturn

MESSAGE_LIMIT: Final = 2000


class HelmError(Exception):
    """Something Helm could not or would not do; `code` and `message` are safe to show."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidName(HelmError):
    """A name that Kubernetes or Helm would not take; `field` is name, namespace or revision."""

    def __init__(self, message: str, field: str = "name") -> None:
        super().__init__("invalid_name", message)
        self.field = field


class BadChart(HelmError):
    """A chart archive that is broken, too large or hostile; `code` says which rule it broke."""

    def __init__(self, reason: str, code: str = "bad_chart") -> None:
        super().__init__(code, reason)
        self.reason = reason


class BadValues(HelmError):
    """Values that are not one plain YAML mapping; `line` and `column` start at 1, 0 = unknown."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        where = f" (line {line}, column {column})" if line else ""
        super().__init__("bad_values", reason + where)
        self.reason = reason
        self.line = line
        self.column = column


class HelmMissing(HelmError):
    """No usable program on this machine; the message says how to get one."""

    def __init__(self, message: str) -> None:
        super().__init__("helm_missing", message)


class HelmTimedOut(HelmError):
    """Helm or what it waited for took longer than allowed."""

    def __init__(self, message: str) -> None:
        super().__init__("timed_out", message)


class HelmCancelled(HelmError):
    """The caller asked for the end, and Helm has ended."""

    def __init__(self, message: str = "cancelled") -> None:
        super().__init__("cancelled", message)


class HelmKilled(HelmError):
    """Helm ended by a signal (`signal` is its number) or by a limit (`signal` is 0)."""

    def __init__(self, message: str, signal: int = 0) -> None:
        super().__init__("killed", message)
        self.signal = signal


class ReleaseExists(HelmError):
    """An install under a name that is taken."""

    def __init__(self, message: str) -> None:
        super().__init__("release_exists", message)


class ReleaseNotFound(HelmError):
    """There is no such release, or no such revision of it."""

    def __init__(self, message: str) -> None:
        super().__init__("release_not_found", message)


class OperationInProgress(HelmError):
    """The release is locked: its last revision is `pending-*`. `Helm.repair` unlocks it."""

    def __init__(self, message: str) -> None:
        super().__init__("operation_in_progress", message)


class ClusterUnreachable(HelmError):
    """The API server did not answer, or its certificate was not the expected one."""

    def __init__(self, message: str) -> None:
        super().__init__("cluster_unreachable", message)


class NotPermitted(HelmError):
    """The cluster refused: `code` is `not_permitted`, or `unauthorized` for bad credentials."""

    def __init__(self, message: str, code: str = "not_permitted") -> None:
        super().__init__(code, message)


class HelmFailed(HelmError):
    """Helm refused or failed for another reason; the message is its own text."""

    def __init__(self, message: str, code: str = "helm_failed") -> None:
        super().__init__(code, message)


def raise_for(text: str) -> NoReturn:
    """Raise the error that fits Helm's own words.

    In: Helm's error text, already free of temporary paths. Never returns.
    """
    message = text[:MESSAGE_LIMIT]
    # A chart writes its own words after these; they must not choose the class.
    if "execution error at (" in text or "template: " in text:
        raise HelmFailed(message, "template_failed")
    for pattern, make in _WORDS:
        if pattern.search(text):
            raise make(message)
    raise HelmFailed(message)


def _unauthorized(message: str) -> HelmError:
    return NotPermitted(message, "unauthorized")


def _no_deployed(message: str) -> HelmError:
    return HelmFailed(message, "no_deployed_revision")


def _schema(message: str) -> HelmError:
    return HelmFailed(message, "values_refused")


def _disk_full(message: str) -> HelmError:
    return HelmFailed(message, "disk_full")


_WORDS: Final = tuple(
    (re.compile(words, re.IGNORECASE), make)
    for words, make in (
        (r"values don't meet the specifications of the schema", _schema),
        (r"cannot re-?use a name that is still in use", ReleaseExists),
        (r"another operation \(.*\) is in progress", OperationInProgress),
        (r"has no deployed releases", _no_deployed),
        (r"release: not found|release has no \S+ version|no revision for release", ReleaseNotFound),
        (r"provide credentials|\bUnauthorized\b", _unauthorized),
        (r"forbidden: User |\bcannot \w+ resource\b|attempting to grant RBAC", NotPermitted),
        (r"no space left on device|file too large", _disk_full),
        (
            r"cluster unreachable|connection refused|no such host|x509:|tls: |handshake timeout",
            ClusterUnreachable,
        ),
        (r"i/o timeout|network is unreachable|no route to host|: EOF$", ClusterUnreachable),
        (r"timed out waiting|deadline exceeded|would exceed context deadline", HelmTimedOut),
    )
)
