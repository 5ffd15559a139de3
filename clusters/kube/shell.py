"""A shell in a container of a pod, at a terminal: exec, asked for by MCM itself.

Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming: each message
begins with the number of its channel; the last one tells on ERROR how the command ended.
"""

import re
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from clusters.kube import errors, paths
from clusters.kube.decode import status_causes
from clusters.kube.errors import safe_text, sentence
from clusters.kube.recording import RESIZE, STDERR, STDIN, STDOUT, Recording
from clusters.kube.stream import Link
from clusters.kube.tunnel import tunnel

# The newest first; all of them carry bytes as they are.
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
ERROR = 3
# By the name that a person chooses: the commands that are tried one after the other.
SHELLS = {
    "": ("bash", "sh"),
    **{name: (name,) for name in ("bash", "sh", "ash", "zsh", "powershell.exe", "cmd.exe")},
}
MOST_COLUMNS = 1000
# What shells tell where there is no such program, and runtimes instead of one.
NOT_FOUND = (126, 127)
_NOT_FOUND = re.compile(
    r"executable file .{0,80}not found|no such file or directory|system cannot find the file", re.I
)
BROKEN = sentence("The cluster closed the connection to the container.")


class Spot(NamedTuple):
    """A container of a pod; `container` "" leaves it to the API server."""

    namespace: str
    pod: str
    container: str


class Size(NamedTuple):
    columns: int
    rows: int

    @property
    def is_possible(self) -> bool:
        return 0 < self.columns <= MOST_COLUMNS and 0 < self.rows <= MOST_COLUMNS


class Ended(NamedTuple):
    """How a command ended: its exit code, None where the cluster told none, and what it said."""

    code: int | None
    said: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether the image seems to have no such program."""
        return self.code in NOT_FOUND or bool(_NOT_FOUND.search(self.said))


class _Status(msgspec.Struct):
    status: str = ""
    message: str = ""


class Shell:
    """A command that runs; what it shows and its sizes are written down in `recording`."""

    def __init__(self, socket: ClientConnection, recording: Recording) -> None:
        self._socket = socket
        self._recording = recording
        self._ended: Ended | None = None

    async def read(self) -> bytes | Ended:
        """What it shows next, or how it ended. Never raises."""
        while True:
            try:
                message = await self._socket.recv(decode=False)
            except ConnectionClosed:
                return self._ended or Ended(None, BROKEN)
            channel, body = (message[0], message[1:]) if message else (-1, b"")
            if channel == ERROR:
                self._ended = ended(body)
            elif channel in (STDOUT, STDERR) and body:
                # Written down before it is seen: what the person leaves on was shown.
                self._recording.from_pod(message)
                return body

    async def write(self, typed: bytes) -> None:
        """As fast as the cluster takes it; to a command that has ended nothing is written."""
        await self._send(bytes((STDIN,)) + typed)

    async def resize(self, size: Size) -> None:
        body = msgspec.json.encode({"Width": size.columns, "Height": size.rows})
        await self._send(bytes((RESIZE,)) + body)

    def close(self) -> None:
        """At once, whatever is still on its way."""
        self._socket.transport.abort()

    async def _send(self, message: bytes) -> None:
        self._recording.from_person(message)
        try:
            await self._socket.send(message)
        except ConnectionClosed:
            return


async def start(to: Link, spot: Spot, command: str, recording: Recording) -> Shell:
    """The command in the container, at a terminal. Raises KubeError where it cannot be joined."""
    asked = {"container": spot.container} if spot.container else {}
    asked |= {"command": command, "stdin": "true", "stdout": "true", "tty": "true"}
    path = paths.path_to("/api/v1/pods", spot.namespace, spot.pod)
    socket = await tunnel(to, f"{path}/exec?{urlencode(asked)}", PROTOCOLS)
    if socket.subprotocol not in PROTOCOLS:
        socket.transport.abort()
        raise errors.BadAnswer("The cluster speaks no protocol of exec that MCM knows.")
    return Shell(socket, recording)


def ended(body: bytes) -> Ended:
    """What the last message tells."""
    try:
        found = msgspec.json.decode(body, type=_Status)
    except (msgspec.MsgspecError, RecursionError):
        return Ended(None, safe_text(body.decode(errors="replace")))
    if found.status == "Success":
        return Ended(0)
    codes = [each.message for each in status_causes(body) if each.reason == "ExitCode"]
    code = int(codes[0]) if codes and re.fullmatch(r"-?\d{1,9}", codes[0]) else None
    return Ended(code, safe_text(found.message))
