"""Lists and watch events in JSON, for what API servers do not speak in protobuf: custom resources.

Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/ (a watch is one JSON object
a line). As with protobuf, objects stay bytes until each is read by itself.
"""

from collections.abc import Iterator

import msgspec

from clusters.kube import errors
from clusters.kube.decode import INITIAL_EVENTS_END, LARGEST_FRAME, Page, WatchEvent, refusal
from clusters.kube.kinds import Kind

BAD_OBJECT = (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError)


class Lines:
    """Cuts a stream of bytes into lines; keeps what is incomplete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._looked = 0

    @property
    def incomplete(self) -> bool:
        """Whether the stream so far ends inside a line."""
        return bool(self._buffer)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines completed by `chunk`; BadAnswer for one that is larger than 32 MiB."""
        buffer = self._buffer
        buffer += chunk
        start = 0
        try:
            while (end := buffer.find(b"\n", max(start, self._looked))) >= 0:
                line = bytes(buffer[start:end])
                start = end + 1
                if line.strip():
                    yield line
        finally:
            del buffer[:start]
            self._looked = len(buffer)
        if len(buffer) > LARGEST_FRAME:
            raise errors.BadAnswer("A watch event is too large or the stream is damaged.")


class _ListMetadata(msgspec.Struct, rename={"version": "resourceVersion", "following": "continue"}):
    version: str = ""
    following: str = ""


class _List(msgspec.Struct):
    metadata: _ListMetadata
    items: list[msgspec.Raw] | None = None


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Metadata(msgspec.Struct, rename={"version": "resourceVersion"}):
    version: str = ""
    uid: str = ""


class _Object(msgspec.Struct):
    metadata: _Metadata


class _Details(msgspec.Struct, rename="camel"):
    retry_after_seconds: int = 0


class _Status(msgspec.Struct):
    code: int = 500
    message: str = ""
    details: _Details | None = None


_list = msgspec.json.Decoder(_List)
_event = msgspec.json.Decoder(_Event)
_object = msgspec.json.Decoder(_Object)
_status = msgspec.json.Decoder(_Status)


def page(kind: Kind, body: bytes) -> Page:
    """A page of a list; BadAnswer when the list itself (not one object of it) is unreadable."""
    try:
        found = _list.decode(body)
    except BAD_OBJECT as error:
        raise errors.BadAnswer("The list that came back is not Kubernetes JSON.") from error
    rows, skipped = [], 0
    for item in found.items or []:
        try:
            rows.append(kind.project(kind.decode(item)))
        except BAD_OBJECT:
            skipped += 1
    return Page(rows, found.metadata.version, found.metadata.following, skipped)


def event(kind: Kind, line: bytes) -> WatchEvent | None:
    """The event in a line, None when this one object is unreadable or of an unknown type.

    A KubeError is raised for an event of type ERROR: the Status it carries.
    """
    try:
        found = _event.decode(line)
        return _read(kind, found.type, found.object)
    except BAD_OBJECT:
        return None


def _read(kind: Kind, type_: str, payload: msgspec.Raw) -> WatchEvent | None:
    if type_ in ("ADDED", "MODIFIED"):
        row = kind.project(kind.decode(payload))
        return WatchEvent(type_, str(row.resource_version), row)
    if type_ in ("DELETED", "BOOKMARK"):
        metadata = _object.decode(payload).metadata
        ended = type_ == "BOOKMARK" and INITIAL_EVENTS_END in bytes(payload)
        return WatchEvent(type_, metadata.version, None, metadata.uid, ended)
    if type_ == "ERROR":
        status = _status.decode(payload)
        seconds = status.details.retry_after_seconds if status.details else 0
        raise refusal(status.code or 500, status.message, float(seconds) if seconds else None)
    return None
