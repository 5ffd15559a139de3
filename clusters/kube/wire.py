"""Which of the two languages of API servers a kind is read in."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from clusters.kube import decode, decode_json
from clusters.kube.kinds import JSON, Kind


class Cutter(Protocol):
    """Cuts a watch stream into its events."""

    @property
    def incomplete(self) -> bool:
        """Whether the stream so far ends inside an event."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events completed by `chunk`."""


class Wire(NamedTuple):
    """How lists and watches of one language are read."""

    cutter: Callable[[], Cutter]
    page: Callable[[Kind, bytes], decode.Page]
    event: Callable[[Kind, bytes], decode.WatchEvent | None]


_PROTOBUF = Wire(decode.Frames, decode.page, decode.event)
_JSON = Wire(decode_json.Lines, decode_json.page, decode_json.event)


def of(kind: Kind) -> Wire:
    """How this kind is read."""
    return _JSON if kind.accept == JSON else _PROTOBUF
