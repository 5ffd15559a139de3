"""Bytes of the API server to rows: lists, watch events and error answers in protobuf.

Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding (a magic
number, then an `Unknown` that holds the object; watch frames carry a 4-byte big-endian length).
"""

import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from google.protobuf.message import DecodeError

from clusters.kube import errors
from clusters.kube.errors import sentence
from clusters.kube.kinds import Kind
from clusters.kube.schema import MAGIC, MESSAGE
from clusters.kube.types import Row

LARGEST_FRAME = 32 * 1024 * 1024
# Asked for are 500; many millions could stand in what a page may weigh.
MOST_ITEMS = 50_000
INITIAL_EVENTS_END = b"k8s.io/initial-events-end"
# AttributeError: a text that is not UTF-8 comes out of protobuf as bytes. RecursionError: JSON.
BAD_OBJECT = (
    *(DecodeError, msgspec.MsgspecError, ValueError, TypeError),
    *(OverflowError, AttributeError, RecursionError),
)

_size = struct.Struct(">I").unpack_from
_event = MESSAGE["WatchEvent"].FromString
_unknown = MESSAGE["Unknown"].FromString
_object = MESSAGE["AnyObject"].FromString


class Page(NamedTuple):
    """One page of a list; `skipped` counts the objects that could not be read."""

    rows: list[Row]
    version: str
    next: str
    skipped: int


class WatchEvent(NamedTuple):
    """One event; `row` is set for ADDED and MODIFIED, `uid` for DELETED, else BOOKMARK."""

    type: str
    version: str
    row: Row | None = None
    uid: str = ""
    initial_end: bool = False


class Frames:
    """Cuts a stream of bytes into frames; keeps what is incomplete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def incomplete(self) -> bool:
        """Whether the stream so far ends inside a frame."""
        return bool(self._buffer)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The frames completed by `chunk`; BadAnswer for one that is larger than 32 MiB."""
        buffer = self._buffer
        if buffer:
            buffer += chunk
            if _end(buffer, 0) > len(buffer):
                return
            # Cut out of bytes, not of the buffer: that takes half the time.
            chunk = bytes(buffer)
            buffer.clear()
        start = 0
        try:
            while (end := _end(chunk, start)) <= len(chunk):
                frame, start = chunk[start + 4 : end], end
                yield frame
        finally:
            buffer += chunk[start:]


def _end(data: bytes | bytearray, start: int) -> int:
    """Where the frame ends that begins at `start`, as far as is known: at least after its size."""
    if len(data) - start < 4:
        return start + 4
    (size,) = _size(data, start)
    if size > LARGEST_FRAME:
        raise errors.BadAnswer("A watch event is too large or the stream is damaged.")
    return start + 4 + int(size)


def page(kind: Kind, body: bytes) -> Page:
    """A page of a list; BadAnswer when the list itself (not one object of it) is unreadable."""
    try:
        found = MESSAGE["RawList"].FromString(_payload(body))
        version, following = found.metadata.resourceVersion, getattr(found.metadata, "continue")
    except BAD_OBJECT as error:
        raise errors.BadAnswer("The list that came back is not Kubernetes protobuf.") from error
    return read_page(kind, found.items, version, following)


def read_page(kind: Kind, items: Sequence[bytes], version: str, following: str) -> Page:
    """The page of these undecoded items; BadAnswer when they are far more than asked for."""
    if len(items) > MOST_ITEMS:
        raise errors.BadAnswer("The list that came back is far longer than asked for.")
    rows, skipped = [], 0
    for item in items:
        try:
            rows.append(kind.project(kind.decode(item)))
        except BAD_OBJECT:
            skipped += 1
    return Page(rows, version, following, skipped)


def event(kind: Kind, frame: bytes) -> WatchEvent | None:
    """The event in a frame, None when this one object is unreadable or of an unknown type.

    A KubeError is raised for an event of type ERROR: the Status it carries.
    """
    try:
        found = _event(frame)
        payload = _payload(found.object.raw)
        return _read(kind, found.type, payload)
    except BAD_OBJECT:
        return None


def _read(kind: Kind, type_: str, payload: bytes) -> WatchEvent | None:
    if type_ in ("ADDED", "MODIFIED"):
        message = kind.decode(payload)
        return WatchEvent(type_, message.metadata.resourceVersion, kind.project(message))
    if type_ in ("DELETED", "BOOKMARK"):
        metadata = _object(payload).metadata
        ended = type_ == "BOOKMARK" and INITIAL_EVENTS_END in payload
        return WatchEvent(type_, metadata.resourceVersion, None, metadata.uid, ended)
    if type_ == "ERROR":
        status = MESSAGE["Status"].FromString(payload)
        seconds = status.details.retryAfterSeconds
        raise refusal(status.code or 500, str(status.message), float(seconds) if seconds else None)
    return None


def _payload(data: bytes) -> bytes:
    if not data.startswith(MAGIC):
        raise ValueError("no Kubernetes protobuf")
    payload: bytes = _unknown(data[len(MAGIC) :]).raw
    return payload


class _Cause(msgspec.Struct):
    reason: str = ""
    field: str = ""
    message: str = ""


class _Details(msgspec.Struct):
    causes: list[_Cause] = []


class _Status(msgspec.Struct):
    message: str = ""
    details: _Details | None = None


def status_message(body: bytes) -> str:
    """The sentence of a Status answer in protobuf or JSON; "" when it is something else.

    That an eviction is refused says the sentence, by which budget only its cause.
    """
    try:
        if body.startswith(MAGIC):
            message: Any = MESSAGE["Status"].FromString(_payload(body)).message
            return str(message)
        found = msgspec.json.decode(body, type=_Status)
    except BAD_OBJECT:
        return ""
    causes = found.details.causes if found.details else []
    budgets = [cause.message for cause in causes if cause.reason == "DisruptionBudget"]
    return " ".join([found.message, *budgets])


# What strict validation of fields and the decoder of JSON say, in one sentence.
_UNKNOWN_FIELD = re.compile(r'(unknown|duplicate) field "([^"]{1,500})"')
_FIELDS = {
    "unknown": sentence("There is no such field."),
    "duplicate": sentence("This key occurs twice."),
}
MOST_CAUSES = 50


def status_causes(body: bytes) -> tuple[errors.Cause, ...]:
    """What a Status answer in JSON says by field; () when it is something else."""
    try:
        found = msgspec.json.decode(body, type=_Status)
    except BAD_OBJECT:
        return ()
    told = found.details.causes if found.details else []
    text = errors.safe_text
    causes = [
        errors.Cause(text(one.reason, 100), text(one.field, 500), text(one.message, 1000))
        for one in told
    ]
    for word, field in _UNKNOWN_FIELD.findall(found.message):
        causes.append(errors.Cause(f"{word} field", text(field, 500), _FIELDS[word]))
    return tuple(causes[:MOST_CAUSES])


def refusal(status: int, message: str, retry_after: float | None = None) -> errors.KubeError:
    """The error for an HTTP status; `message` is the server's sentence, "" when it gave none."""
    if 300 <= status < 400:
        return errors.BadAnswer(f"The server answered with a redirect ({status}); not followed.")
    if status == 429:
        return errors.TooManyRequests(
            message or sentence("The cluster says that it gets too many requests."),
            status,
            retry_after,
        )
    if status >= 500:
        return errors.ServerFailed(
            f"The API server failed ({status}). {message}".strip(), status, retry_after
        )
    default, kind = KNOWN.get(status, (f"The cluster refused the request ({status}).", None))
    if kind is None:
        return errors.Refused(message or default, status)
    return kind(message or default, status)


KNOWN: dict[int, tuple[str, type[errors.Refused] | None]] = {
    401: (sentence("The cluster does not accept the credential."), errors.Unauthorized),
    403: (sentence("The cluster forbids this."), errors.Forbidden),
    404: (sentence("The cluster does not have this."), errors.NotFound),
    409: (sentence("The object exists already or was changed meanwhile."), errors.Conflict),
    410: (sentence("The cluster no longer knows this version."), errors.Expired),
}


def retry_after_seconds(value: str | None) -> float | None:
    """The Retry-After header in seconds (RFC 9110; dates are not used by Kubernetes)."""
    return float(value) if value and value.isdecimal() and len(value) < 6 else None
