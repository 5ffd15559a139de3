"""What nothing here could read is refused before it is read, from everybody."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mcm.guard import LARGEST, LARGEST_TEXT, guarded
from teams import services
from teams.models import User
from tests.mcm.asked import asked

PIECE = b"x" * (1024 * 1024)


@pytest.fixture
def token(admin: User) -> str:
    return f"Bearer {services.create_token(admin, timedelta(days=1), by=None)}"


async def posted(pieces: Iterator[bytes], query: bytes = b"", **headers: str) -> tuple[int, int]:
    named = {"content__type": "application/json", **headers}
    return await asked("/api/v1/clusters", pieces, method="POST", query=query, **named)


async def test_an_announced_length_is_enough_to_refuse() -> None:
    assert await posted(iter([PIECE]), content__length=str(LARGEST + 1)) == (413, 0)


async def test_ten_megabytes_are_too_much_for_anything_but_a_form_with_files() -> None:
    ten = str(10 * 1024 * 1024)
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        assert await posted(iter([PIECE]), content__length=ten, content__type=kind) == (413, 0)
    too_long = str(LARGEST_TEXT + 1)
    assert await posted(iter([PIECE]), content__length=too_long) == (413, 0)


async def test_a_body_without_its_length_is_refused_unread() -> None:
    assert await posted(iter([PIECE]), transfer__encoding="chunked") == (411, 0)


async def test_a_length_that_is_no_number_is_none() -> None:
    assert await posted(iter([b"{}"]), content__length="two") == (411, 0)


async def test_bytes_in_an_address_that_are_no_text_are_refused() -> None:
    assert await posted(iter([b"{}"]), b"q=\xff", content__length="2") == (400, 0)


@pytest.mark.parametrize(
    "charset", ["utf-7", "unicode_escape", "idna", "UTF-16", "base64", '"utf-7"', ",utf-7", "x", ""]
)
async def test_text_that_is_not_utf8_is_refused(charset: str) -> None:
    kind = f"text/plain; charset={charset}"
    sent = await posted(iter([b"{}"]), b"q=%5Cud800", content__length="2", content__type=kind)
    assert sent == (415, 0)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"'])
@pytest.mark.django_db(transaction=True)
async def test_utf8_may_say_so(token: str, charset: str) -> None:
    kind = f"application/json; charset={charset}"
    sent = posted(iter([b"{}"]), content__length="2", content__type=kind, authorization=token)
    assert await sent == (400, 1)


@pytest.mark.django_db(transaction=True)
async def test_a_body_of_the_right_size_reaches_the_view(token: str) -> None:
    body = b'{"name": "a"}'
    assert await posted(iter([body]), content__length="13", authorization=token) == (400, 1)


@pytest.mark.django_db(transaction=True)
async def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(token: str) -> None:
    """Nor is it a fault of ours, which would be a 500."""
    body = b'{"name": "a"}'
    status, _taken = await posted(iter([body]), content__length="200", authorization=token)
    assert status == 400


async def test_no_header_passes_for_one_of_the_balancer() -> None:
    seen: list[bytes] = []

    async def note(scope: Any, _receive: Any, _send: Any) -> None:
        seen.extend(name for name, _value in scope["headers"])

    headers = [(b"host", b"a"), (b"x_forwarded_proto", b"https"), (b"x-request-id", b"1")]
    await guarded(note)({"headers": headers, "query_string": b""}, None, None)
    assert seen == [b"host", b"x-request-id"]
