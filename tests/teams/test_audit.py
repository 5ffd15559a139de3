"""What the trail tells of a change."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster
from operations.models import Operation
from teams import audit, services
from teams.audit import context
from teams.models import AuditEvent, Token, User
from teams.trail import Named, Result
from tests.teams.browsing import of, patch

THING = Named("thing", "1", "a thing")
DAY = timedelta(days=1)


def test_a_change_tells_who_from_where_and_what(owner: User, prod: Cluster) -> None:
    [client] = of(owner)
    assert patch(client, prod, {"region": "eu"}).status_code == 200
    line = AuditEvent.objects.get(action="cluster.change")
    assert (line.actor_name, line.via, line.address) == ("owner", "api", "127.0.0.1")
    assert (line.user_agent, line.token) == ("Firefox/1", "")
    assert len(line.request_id) == 36
    assert (line.cluster, line.namespace, line.result) == ("prod", "", Result.DONE)
    assert (line.before, line.after) == ({"region": ""}, {"region": "eu"})
    assert line.scopes == [f"clusters.cluster:{prod.pk}"]


def test_a_change_by_token_names_the_token(owner: User, prod: Cluster, client: Client) -> None:
    secret = services.create_token(owner, DAY, by=None)
    bearer = f"Bearer {secret}"
    assert patch(client, prod, {"region": "eu"}, Authorization=bearer).status_code == 200
    line = AuditEvent.objects.get(action="cluster.change")
    assert line.token == Token.objects.get().digest[:8]
    assert secret not in str(AuditEvent.objects.values_list())


@pytest.mark.parametrize(
    ("trusted", "sent", "told"),
    [
        (False, "203.0.113.9", "127.0.0.1"),
        (True, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (True, "", "127.0.0.1"),
        (True, "<script>", None),
        (True, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_as_the_trusted_proxy_says(
    owner: User, prod: Cluster, settings: Any, trusted: bool, sent: str, told: str | None
) -> None:
    settings.AUDIT = replace(settings.AUDIT, behind_proxy=trusted)
    [client] = of(owner)
    patch(client, prod, {"region": "eu"}, **({"X-Forwarded-For": sent} if sent else {}))
    assert AuditEvent.objects.get(action="cluster.change").address == told


def test_a_socket_tells_from_where_too(settings: Any) -> None:
    headers = [(b"user-agent", b"kubectl/1"), (b"x-forwarded-for", b"203.0.113.9")]
    scope = {"client": ("192.0.2.1", 1234), "headers": headers}
    origin = context.Origin.of_scope(scope, token="robot (1a2b3c4d)")
    assert (origin.address, origin.user_agent, origin.via) == ("192.0.2.1", "kubectl/1", "socket")
    assert origin.told["token"] == "robot (1a2b3c4d)"


def test_nothing_of_one_request_reaches_the_next(owner: User, prod: Cluster) -> None:
    [client] = of(owner)
    patch(client, prod, {"region": "eu"})
    line = audit.record(None, "later", THING)
    assert (line.via, line.address, line.request_id) == ("system", None, "")


def test_secrets_of_a_line_are_masked(db: None) -> None:
    line = audit.record(
        None, "release.change", THING,
        before={"values": {"password": "planted"}}, after={"url": "https://a:planted@b"},
        token="planted", note="planted\0 \x1b[31m",
    )  # fmt: skip
    line.refresh_from_db()
    assert "planted" not in json.dumps([line.before, line.after, line.detail["token"]])


def test_hostile_names_make_one_plain_line(db: None) -> None:
    named = Named("thing", "x" * 500, "a\nb\0c\ud800" + "d" * 1000)
    line = audit.record(None, "change", named, reason="no\r\nway" + "!" * 1000)
    line.refresh_from_db()
    assert line.object_name.startswith("a b c ddd")
    assert (len(line.object_name), len(line.reason), len(line.object_id)) == (300, 500, 64)


def test_the_end_of_work_is_told_as_from_where_it_was_asked(
    operator: User, operation: Operation
) -> None:
    from operations import executor
    from operations.models import Status

    origin = context.Origin(via="page", token="t", address="192.0.2.7", request_id="r1")
    with context.acting(origin):
        audit.record(operator, operation.kind, operation)
    Operation.objects.update(status=Status.RUNNING, requested_by=operator)
    operation.refresh_from_db()
    assert executor.end(operation, Status.FAILED, "The chart is broken.", {})
    line = AuditEvent.objects.latest("pk")
    assert (line.via, line.token, line.address, line.request_id) == (
        "worker",
        "t",
        "192.0.2.7",
        "r1",
    )
    assert (line.result, line.reason) == (Result.FAILED, "The chart is broken.")
    assert (line.cluster, line.namespace, len(line.scopes)) == ("prod", "shop", 2)
