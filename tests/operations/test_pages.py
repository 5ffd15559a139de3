"""Pages and API of operations; what was put in is never shown."""

from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client

from clusters.models import Cluster, Namespace
from operations import executor, services
from operations.models import Operation
from operations.services import Place
from teams.models import User
from tests import factories
from tests.operations.conftest import Works

MARKER = "planted-in-the-values"


@pytest.fixture
def mcm(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def test_the_api_shows_an_operation(mcm: Client, operation: Operation) -> None:
    operation.lines.create(text="one")
    operation.lines.create(text="two")
    assert mcm.get(f"/api/v1/operations/{operation.pk}").json() == {
        "id": str(operation.pk), "kind": "test.work", "status": "queued", "error": "",
        "cluster": "prod", "namespace": "shop", "release": "queued",
        "created": operation.created.isoformat(), "finished": None, "log": "one\ntwo", "result": {},
        "steps": [],
    }  # fmt: skip


def test_the_api_cancels(mcm: Client, operation: Operation) -> None:
    answer = mcm.post(f"/api/v1/operations/{operation.pk}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")


def test_the_page_shows_the_log_made_harmless(mcm: Client, operation: Operation) -> None:
    operation.lines.create(text="<script>alert(1)</script>")
    operation.error = "<b>no"
    operation.save()
    text = mcm.get(f"/operations/{operation.pk}/").content.decode()
    assert "&lt;script&gt;alert" in text
    assert "<script>alert" not in text
    assert "&lt;b&gt;no" in text


def test_only_who_may_cancel_gets_the_button(
    client: Client, viewer: User, operator: User, operation: Operation
) -> None:
    for user, there in ((viewer, False), (operator, True)):
        client.force_login(user)
        text = client.get(f"/operations/{operation.pk}/").content.decode()
        assert (f"/operations/{operation.pk}/cancel/" in text) == there


def test_the_lists_show_what_one_may_see(
    client: Client, shop_viewer: User, prod: Cluster, other: Cluster, bank: Namespace
) -> None:
    factories.OperationFactory.create(cluster=prod, namespace="shop", target="mine")
    factories.OperationFactory.create(cluster=prod, namespace="bank", target="theirs")
    factories.OperationFactory.create(cluster=other, namespace="shop", target="foreign")
    client.force_login(shop_viewer)
    for url in ("/operations/", "/operations/recent/"):
        text = client.get(url).content.decode()
        assert "mine" in text
        assert "theirs" not in text
        assert "foreign" not in text


@pytest.mark.django_db(transaction=True)
def test_what_was_put_in_is_nowhere_in_clear(
    operator: User, prod: Cluster, works: Works, told: Any, client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    found: list[bytes] = []
    works.does = lambda job: found.append(job.operation.unseal())
    with told() as messages:
        made = services.request(
            "test.work", Place(prod, "shop", "web"), MARKER.encode(), by=operator
        )
        keys = everything_in_redis()
        executor.run(str(made.pk))
    assert found == [MARKER.encode()]
    client.force_login(operator)
    pages = [
        client.get(url).content.decode()
        for url in (f"/operations/{made.pk}/", f"/api/v1/operations/{made.pk}", "/operations/")
    ]
    told_anywhere = "\n".join(
        [*pages, str(messages), keys, everything_in_redis(), caplog.text, rows()]
    )
    assert str(made.pk) in keys
    assert MARKER not in told_anywhere
    assert MARKER.encode().hex() not in told_anywhere


def everything_in_redis() -> str:
    """All keys with their values, whatever their type."""
    found = []
    with redis.Redis.from_url(settings.REDIS_URL) as store:
        for key in store.scan_iter():
            kind = store.type(key)
            read: Any = {
                b"string": store.get, b"set": store.smembers, b"hash": store.hgetall,
                b"list": lambda name: store.lrange(name, 0, -1),
                b"zset": lambda name: store.zrange(name, 0, -1),
                b"none": lambda name: "expired since it was found",
            }[kind]  # fmt: skip
            found.append(f"{key!r} {read(key)!r}")
    return "\n".join(found)


def rows() -> str:
    """The rows of all tables as text."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [str(row[0]) for row in cursor.fetchall()]
    return "\n".join(found)
