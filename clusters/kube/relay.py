"""Any request passed on to an API server, and its answer as it comes: any status, any length."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import httptools

from clusters.kube import tls
from clusters.kube.decode import refusal
from clusters.kube.exchange import Exchange
from clusters.kube.stream import Link, connect

CONNECT_SECONDS = 10.0
# An API server itself ends what takes longer.
ANSWER_SECONDS = 65.0
# All that is passed on of a request. Never what says who asks: that is the Link's to say.
PASSED_ON = frozenset({"accept", "content-type", "if-none-match", "if-modified-since"})
# And all that comes back: no cookie, no redirect, nothing that asks for other credentials.
GIVEN_BACK = frozenset(
    {
        *("content-type", "content-encoding", "content-length", "cache-control", "etag", "vary"),
        *("last-modified", "warning", "audit-id", "retry-after"),
        *("x-kubernetes-pf-flowschema-uid", "x-kubernetes-pf-prioritylevel-uid"),
    }
)


class Sent(NamedTuple):
    """A request: its address below the cluster's own, the headers to pass on, the whole body."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Answer:
    """What the API server answers, whatever that is."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.status = exchange.status
        self.headers = [pair for pair in exchange.headers.items() if pair[0] in GIVEN_BACK]

    async def read(self, wait: float | None) -> bytes:
        """The next bytes as they were sent, b"" at the regular end; KubeError for any other.

        `wait` seconds of silence are TimedOut, None waits for ever.
        """
        try:
            return await self._exchange.read(wait)
        except (OSError, httptools.HttpParserError) as error:
            raise tls.explain(error) from error


def passed_on(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those headers of a request that an API server may see."""
    kept = []
    for name, value in headers:
        if name in PASSED_ON and value.isascii() and value.isprintable():
            kept.append((name, value))
        elif name == "accept-encoding" and "gzip" in value:
            kept.append((name, "gzip"))
    return tuple(kept)


@asynccontextmanager
async def relay(to: Link, sent: Sent, *, may_be_silent: bool = False) -> AsyncIterator[Answer]:
    """The answer to a request; KubeError when there is none, or one that is not to be passed on
    (a redirect; 401, which is about MCM's credentials and not the person's).

    Logs that are followed begin with their first line, whenever it is written: such an answer
    `may_be_silent`, and is waited for without an end.

    The connection ends with the block.
    """
    exchange = Exchange(_head(to, sent) + to.headers + b"\r\n" + sent.body)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connect(to, exchange)
        async with asyncio.timeout(None if may_be_silent else ANSWER_SECONDS):
            await exchange.head
        if exchange.status == 401 or (300 <= exchange.status < 400 and exchange.status != 304):
            raise refusal(exchange.status, "")
        yield Answer(exchange)
    except (OSError, httptools.HttpParserError) as error:
        raise tls.explain(error) from error
    finally:
        exchange.abort()


def _head(to: Link, sent: Sent) -> bytes:
    lines = [f"{sent.method} {to.endpoint.path}{sent.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in sent.headers]
    if sent.body or sent.method != "GET":
        lines.append(f"content-length: {len(sent.body)}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
