"""Servers that refuse, drip, hang or show a bad certificate."""

import asyncio
import time

import pytest

from clusters.kube import errors
from clusters.kube.types import SERVICE_ACCOUNT
from clusters.kube.watch import Timing, probe
from tests.kube.certificates import DAY, Authority
from tests.kube.fake import Request, chunk, first_state, forever, head, serve, whole
from tests.kube.following import following


async def test_too_many_requests_waits_as_long_as_the_server_says() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(whole("429 Too Many Requests", b"{}", "Retry-After: 7"))

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: watched.lost)
        assert isinstance(watched.lost[0].error, errors.TooManyRequests)
        assert watched.lost[0].retry_in == 7
        assert len(fake.requests) == 1


async def test_dripping_is_no_sign_of_life() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_watch_list:
            await first_state(writer)
        else:
            writer.write(head())
        for _ in range(100):
            writer.write(chunk(b"\x01"))
            await writer.drain()
            await asyncio.sleep(0.05)

    timing = Timing(first_pause=0.05, silence=0.5)
    async with serve(handler) as fake, following(fake.connection, timing=timing) as watched:
        await watched.until(lambda: watched.lost)
        # The first silence is legal and only tried again; the second one in a row is told.
        assert isinstance(watched.lost[0].error, errors.TimedOut)
        assert len(fake.requests) == 2


async def test_a_dripping_head_is_cut() -> None:
    async def handler(__: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            writer.write(b"X: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    timing = Timing(connect=0.5)
    async with serve(handler) as fake, following(fake.connection, timing=timing) as watched:
        started = time.monotonic()
        await watched.until(lambda: watched.lost)
        assert isinstance(watched.lost[0].error, errors.TimedOut)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("names", "days", "trusted", "reason"),
    [
        (("127.0.0.1",), -1, True, "expired"),
        (("other.example", "10.0.0.1"), 1, True, "wrong_name"),
        (("127.0.0.1",), 1, False, "unknown_ca"),
    ],
)
async def test_a_bad_certificate_is_told_exactly_and_gets_nothing(
    names: tuple[str, ...], days: int, trusted: bool, reason: str
) -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        await first_state(writer)

    authority = Authority()
    pair = authority.sign(*names, start=-2 * DAY, end=days * DAY)
    signer = authority if trusted else Authority()
    async with (
        serve(handler, pair=pair, authority=signer) as fake,
        following(fake.connection) as watched,
    ):
        await watched.until(lambda: watched.lost)
        error = watched.lost[0].error
        assert isinstance(error, errors.BadCertificate)
        assert (error.reason, error.code) == (reason, f"certificate_{reason}")
        with pytest.raises(errors.BadCertificate):
            await probe(fake.connection, SERVICE_ACCOUNT, 2)
        assert fake.requests == []


async def test_a_redirect_is_not_followed() -> None:
    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(whole("302 Found", b"", "Location: https://127.0.0.1:1/"))

    async with serve(handler) as fake, following(fake.connection) as watched:
        await watched.until(lambda: watched.lost)
        assert isinstance(watched.lost[0].error, errors.BadAnswer)


async def test_a_probe_measures_and_fails() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        assert request.target == "/readyz"
        status = "200 OK" if len(fake.requests) == 1 else "500 Internal Server Error"
        writer.write(whole(status, b"ok"))

    async with serve(handler) as fake:
        assert 0 < await probe(fake.connection, SERVICE_ACCOUNT, 2) < 2
        with pytest.raises(errors.ServerFailed):
            await probe(fake.connection, SERVICE_ACCOUNT, 2)


async def test_a_probe_of_a_black_hole_ends_in_time() -> None:
    async def handler(_: Request, __: asyncio.StreamWriter) -> None:
        await forever()

    async with serve(handler) as fake:
        started = time.monotonic()
        with pytest.raises(errors.TimedOut):
            await probe(fake.connection, SERVICE_ACCOUNT, 0.5)
        assert time.monotonic() - started < 2
