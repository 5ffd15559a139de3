"""Lists and watch events in JSON, for what API servers do not speak in protobuf: custom resources.

Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/ (a watch is one JSON object
a line). As with protobuf, objects stay bytes until each is read by itself.
"""

import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from clusters.kube import errors
from clusters.kube.decode import (
    BAD_OBJECT,
    INITIAL_EVENTS_END,
    LARGEST_FRAME,
    Page,
    WatchEvent,
    read_page,
    refusal,
)
from clusters.kube.kinds import Kind

# A list that has to be taken apart by hand has no more signs and texts: that takes a second.
MOST_MARKS = 2_000_000
_ITEMS = re.compile(rb'"items"\s*:\s*\[')
# Texts are found so that nothing inside of them is; one that never ends takes all the rest.
_MARK = re.compile(rb'"(?:[^"\\]|\\.?)*+"?|[][{},]', re.DOTALL)


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
                if end - start > LARGEST_FRAME:
                    break
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
        found = _read_list(body)
    except BAD_OBJECT as error:
        raise errors.BadAnswer("The list that came back is not Kubernetes JSON.") from error
    metadata = found.metadata
    return read_page(kind, found.items or [], metadata.version, metadata.following)


def _read_list(body: bytes) -> _List:
    try:
        return _list.decode(body)
    except RecursionError:
        begin = _ITEMS.search(body)
        if begin is None:
            raise
        found = _list.decode(body[: begin.end()] + b"]}")
        return _List(found.metadata, _apart(body, begin.end()))


def _apart(body: bytes, start: int) -> list[msgspec.Raw]:
    """The items that begin at `start`, where one is nested too deeply to be read with the rest."""
    items = []
    depth = 0
    for mark in islice(_MARK.finditer(body, start), MOST_MARKS):
        sign = mark[0]
        depth += (sign in (b"{", b"[")) - (sign in (b"}", b"]"))
        if depth < 0 or (sign == b"," and not depth):
            items.append(msgspec.Raw(body[start : mark.start()]))
            start = mark.end()
        if depth < 0:
            return items
    raise ValueError("a list without an end, or too long")


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
