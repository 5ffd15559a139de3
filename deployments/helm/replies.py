"""Reads what Helm answers: JSON into records, its error text into one sentence."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final, TypeVar

import msgspec

from deployments.helm.errors import HelmFailed
from deployments.helm.lines import plain
from deployments.helm.types import Release, Revision

# "nginx-ingress-2-1.0.0" is chart nginx-ingress-2: a full version is looked for first.
_CHART: Final = re.compile(r"(.+?)-(v?\d+\.\d+\.\d+.*)")
_SHORT: Final = re.compile(r"(.+?)-(v?\d+(?:\.\d+)?(?:[-+].*)?)")
T = TypeVar("T")

_FRACTION: Final = re.compile(r"(\.\d{6})\d+")
_ERROR: Final = re.compile(r"^Error: (?:[A-Z ]+ FAILED: )?")
_PROGRESS: Final = re.compile(r"^\S+\.go:\d+: (?:\d{4}-[^\[]{0,80} )?\[debug\] ")
# Helm 3 prints its error again with a trace of its own source, after everything else.
_TRACE: Final = re.compile(r"^helm\.go:\d+: [^\[]{0,100}\[debug\] ")
_LATE: Final = ("context deadline exceeded", "timed out waiting for the condition")
_LOGGED: Final = re.compile(
    r"(?:time=\S+ )?level=(?P<level>[A-Z]+) msg=(?P<words>\"(?:[^\"\\]|\\.)*\"|\S+)(?P<rest>.*)"
)


class _Listed(msgspec.Struct):
    name: str
    namespace: str
    revision: str
    updated: str
    status: str
    chart: str
    app_version: str


class _Past(msgspec.Struct):
    revision: int
    updated: str
    status: str
    chart: str
    app_version: str = ""
    description: str = ""


class _Info(msgspec.Struct):
    status: str
    last_deployed: str = ""
    description: str = ""
    notes: str = ""


class _Metadata(msgspec.Struct):
    name: str = ""
    version: str = ""
    appVersion: str = ""  # noqa: N815  Helm's own spelling


class _Chart(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Done(msgspec.Struct):
    name: str
    namespace: str
    version: int
    info: _Info
    chart: _Chart | None = None


def releases(answer: bytes) -> list[Release]:
    """Read `helm list`. Errors: `HelmFailed` when it is not what Helm answers."""
    return [
        Release(
            row.name,
            row.namespace,
            int(row.revision),
            row.status,
            *split_chart(row.chart),
            row.app_version,
            when(row.updated),
        )
        for row in _decoded(answer, list[_Listed])
    ]


def revisions(answer: bytes) -> list[Revision]:
    """Read `helm history`, oldest first. Errors: `HelmFailed`."""
    return [
        Revision(
            row.revision,
            row.status,
            *split_chart(row.chart),
            row.app_version,
            when(row.updated),
            row.description,
        )
        for row in _decoded(answer, list[_Past])
    ]


def done(answer: bytes) -> tuple[Release, str] | None:
    """Read what install and upgrade answer: the release and its notes; None without a chart."""
    reply = _decoded(answer, _Done)
    if reply.chart is None or not reply.chart.metadata.name:
        return None
    chart = reply.chart.metadata
    release = Release(
        reply.name,
        reply.namespace,
        reply.version,
        reply.info.status,
        chart.name,
        chart.version,
        chart.appVersion,
        when(reply.info.last_deployed),
        reply.info.description,
    )
    return release, reply.info.notes


def as_release(name: str, namespace: str, newest: Revision) -> Release:
    """Make a release of its newest revision."""
    return Release(
        name,
        namespace,
        newest.revision,
        newest.status,
        newest.chart,
        newest.chart_version,
        newest.app_version,
        newest.updated,
        newest.description,
    )


def split_chart(text: str) -> tuple[str, str]:
    """Split "name-version". Without a version that one can see, all of it is the name."""
    found = _CHART.fullmatch(text) or _SHORT.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def when(text: str) -> datetime:
    """Read Go's RFC 3339 with nanoseconds; the start of 1970 when Helm recorded no time."""
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


class Progress:
    """Turns Helm's own log into lines for people; one for each run.

    Helm 3 writes `install.go:225: [debug] words`, Helm 4 `level=DEBUG msg="words" key=value`.
    """

    def __init__(self) -> None:
        self._in_trace = False

    def line(self, line: str) -> str | None:
        """Return the line without its place in Helm's source, None when there is nothing to say."""
        self._in_trace = self._in_trace or bool(_TRACE.match(line))
        if self._in_trace or not line.strip():
            return None
        if found := _LOGGED.match(line):
            level = "" if found["level"] in {"DEBUG", "INFO"} else f"{found['level'].lower()}: "
            return plain(level + _unquoted(found["words"]) + found["rest"])
        return _PROGRESS.sub("", line)


def _unquoted(words: str) -> str:
    if words.startswith('"'):
        with suppress(ValueError):
            return str(json.loads(words))
    return words


def error_text(tail: tuple[str, ...]) -> str:
    """Return what follows `Error:` in the last lines, or the last line."""
    lines = list(takewhile(lambda line: not _TRACE.match(line), tail))
    starts = [index for index, line in enumerate(lines) if line.startswith("Error: ")]
    if not starts:
        return next((line for line in reversed(tail) if line.strip()), "Helm gave no reason")
    text = "\n".join(lines[starts[-1] :]).strip()
    text = _ERROR.sub("", text)
    return f"{text} ({_not_ready(lines)})" if text in _LATE else text


def _not_ready(lines: list[str]) -> str:
    """Return what Helm 3 waited for at the end: its error does not say."""
    found = (line for line in reversed(lines) if " is not ready: " in line)
    # On a slow machine the time is over before Helm has looked once.
    return _PROGRESS.sub("", next(found, "before anything was seen to be ready"))


def _decoded(answer: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise HelmFailed(f"Helm's answer could not be read: {error}", "bad_answer") from error
