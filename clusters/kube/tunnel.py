"""A websocket to an API server: exec, attach and port-forward, in the protocols of kubectl.

Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming
"""

from collections.abc import Sequence

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from clusters.kube import address, errors, tls
from clusters.kube.decode import refusal, status_message
from clusters.kube.relay import CONNECT_SECONDS
from clusters.kube.stream import Link, resolve

# No other is passed on: some carry a bearer token in their name.
PROTOCOLS = frozenset(
    {
        *("v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"),
        *("channel.k8s.io", "base64.channel.k8s.io"),
    }
)
LARGEST_MESSAGE = 4 * 1024 * 1024


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Where it leads is the server's to say, and so not followed."""
        return exc


async def tunnel(to: Link, target: str, protocols: Sequence[str]) -> ClientConnection:
    """An open websocket with one of the protocols; KubeError where there is none to be had."""
    failure: BaseException = OSError("no address")
    for host in await resolve(to.endpoint):
        try:
            return await _open(to, target, protocols, host)
        except InvalidStatus as error:
            raise _refusal(error) from error
        except InvalidHandshake as error:
            raise errors.BadAnswer("The cluster does not speak websockets.") from error
        except (OSError, WebSocketException) as error:
            failure = error
    raise tls.explain(failure) from failure


async def _open(to: Link, target: str, protocols: Sequence[str], host: str) -> ClientConnection:
    made = await _Connect(
        f"wss://{to.endpoint.authority}{to.endpoint.path}{target}",
        subprotocols=[Subprotocol(name) for name in protocols],
        additional_headers=_headers(to),
        user_agent_header=None,
        compression=None,
        proxy=None,
        open_timeout=CONNECT_SECONDS,
        # A dead peer is found by the kernel, and what pings the person is our own server.
        ping_interval=None,
        close_timeout=2,
        max_size=LARGEST_MESSAGE,
        host=host,
        port=to.endpoint.port,
        ssl=to.context,
        server_hostname=to.endpoint.server_name,
    )
    if (plain := made.transport.get_extra_info("socket")) is not None:
        address.keep_alive(plain)
    return made


def _headers(to: Link) -> list[tuple[str, str]]:
    lines = to.headers.decode("ascii").split("\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines) if name]
    return [(name, value) for name, value in pairs if name != "Host"]  # the address says it


def _refusal(error: InvalidStatus) -> errors.KubeError:
    response = error.response
    return refusal(response.status_code, status_message(bytes(response.body or b"")))
