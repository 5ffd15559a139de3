"""What the trail tells of a change and of a try that was refused, and who may read it."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from knox.models import AuthToken

from clusters.models import Cluster, Namespace
from operations.models import Operation
from teams import audit, services, tasks
from teams.audit import chain, context, denials
from teams.audit.written import cell
from teams.models import AuditEvent, Grant, Membership, User
from teams.roles import Role
from teams.trail import Named, Result
from tests import factories

THING = Named("thing", "1", "a thing")
DAY = timedelta(days=1)


def of(*users: User) -> list[Client]:
    """A signed-in browser for each."""
    clients = [Client(headers={"User-Agent": "Firefox/1"}) for _ in users]
    for client, user in zip(clients, users, strict=True):
        client.force_login(user)
    return clients


def patch(client: Client, cluster: Cluster, body: Any, **headers: str) -> Any:
    path = f"/api/v1/clusters/{cluster.pk}"
    return client.patch(path, body, content_type="application/json", headers=headers)


def names(rows: Iterable[AuditEvent]) -> list[str]:
    return [row.action for row in rows]


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
    assert line.token == AuthToken.objects.get().digest[:8]
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
    with context.Acting(origin):
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


# ---- what was refused ----


def test_a_refused_try_is_told_on_pages_and_api(viewer: User, prod: Cluster) -> None:
    [client] = of(viewer)
    assert client.get(f"/clusters/{prod.pk}/edit/").status_code == 403
    assert patch(client, prod, {"region": "eu"}).status_code == 403
    assert client.get("/teams/new/").status_code == 403
    page, api, teams = AuditEvent.objects.filter(result=Result.DENIED).order_by("pk")
    assert (page.action, page.object_type, page.object_name, page.via) == (
        "GET cluster-edit", "clusters.cluster", "prod", "page",
    )  # fmt: skip
    assert (page.actor_name, page.reason, page.cluster) == (
        "viewer", "The right to administer it is missing.", "prod",
    )  # fmt: skip
    assert (api.action, api.object_id, api.via) == ("PATCH api-cluster", str(prod.pk), "api")
    assert (teams.action, teams.object_type, teams.object_name) == (
        "GET team-create", "address", "/teams/new/",
    )  # fmt: skip


def test_a_form_without_its_token_is_told(admin: User, prod: Cluster) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    assert client.post(f"/clusters/{prod.pk}/delete/", {}).status_code == 403
    line = AuditEvent.objects.get(result=Result.DENIED)
    assert "CSRF" in line.reason


def test_what_is_unseen_or_asked_by_nobody_is_not_told(outsider: User, prod: Cluster) -> None:
    [client] = of(outsider)
    before = AuditEvent.objects.count()
    assert client.get(f"/clusters/{prod.pk}/").status_code == 404
    assert Client().get(f"/api/v1/clusters/{prod.pk}").status_code == 401
    assert AuditEvent.objects.count() == before


def test_a_flood_of_equal_tries_is_told_twice(viewer: User, prod: Cluster) -> None:
    [client] = of(viewer)
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False):
        for _ in range(30):
            client.get(f"/clusters/{prod.pk}/edit/")
        tasks.seal_audit()
    assert AuditEvent.objects.filter(result=Result.DENIED).count() == 1
    with time_machine.travel(now + timedelta(seconds=61), tick=False):
        tasks.seal_audit()
        assert client.get(f"/clusters/{prod.pk}/edit/").status_code == 403
    first, rest, again = AuditEvent.objects.filter(result=Result.DENIED).order_by("pk")
    assert (first.count, rest.count, again.count) == (1, 29, 1)
    assert (rest.actor_name, rest.object_id, rest.address) == ("viewer", str(prod.pk), "127.0.0.1")
    assert rest.detail == {"since": first.at.isoformat()}


def test_a_flood_of_different_tries_is_bounded(viewer: User) -> None:
    for n in range(denials.MOST_DIFFERENT * 2):
        denials.denied(viewer, f"GET place-{n}", f"/{n}/", None)
    lines = AuditEvent.objects.filter(result=Result.DENIED)
    assert lines.count() == denials.MOST_DIFFERENT + 1
    assert lines.latest("pk").action == denials.MANY


def test_the_admin_site_leaves_no_change_untold(
    admin: User, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one of a form that goes around the services."""
    from teams.admin import McmUserAdmin

    def save(_self: Any, _request: Any, user: User, _form: Any, _change: bool) -> None:
        user.save()

    monkeypatch.setattr(McmUserAdmin, "save_model", save)
    [client] = of(admin)
    answer = client.post(f"/admin/teams/user/{viewer.pk}/change/", {"username": "renamed"})
    assert answer.status_code == 302
    line = AuditEvent.objects.latest("pk")
    assert (line.action, line.object_name) == (
        "POST admin:teams_user_change", f"/admin/teams/user/{viewer.pk}/change/",
    )  # fmt: skip


# ---- who reads it ----


@pytest.fixture
def told(prod: Cluster, other: Cluster, shop: Namespace, bank: Namespace) -> None:
    """A line for each place."""
    for name, found in {"prod": prod, "other": other, "shop": shop, "bank": bank}.items():
        audit.record(None, f"at.{name}", found)
    audit.record(None, "at.nowhere", THING)


def seen(user: User) -> list[str]:
    [client] = of(user)
    answer = client.get("/api/v1/audit", {"action": "at.*"})
    assert answer.status_code == 200
    return [event["action"].removeprefix("at.") for event in answer.json()["events"]]


def test_each_admin_reads_his_own_places(
    told: None, admin: User, owner: User, outsider: User, shop: Namespace
) -> None:
    keeper = factories.UserFactory.create(username="keeper")
    factories.give(keeper, Role.ADMIN, shop)
    assert seen(admin) == ["nowhere", "bank", "shop", "other", "prod"]
    assert seen(owner) == ["bank", "shop", "prod"]
    assert seen(outsider) == ["other"]
    assert seen(keeper) == ["shop"]


def test_a_manager_reads_what_was_done_with_the_team(viewer: User, owner: User) -> None:
    team = Grant.objects.get(team__members=viewer).team
    member = Membership.objects.get(team=team, user=viewer)
    [client] = of(viewer)
    assert client.get("/api/v1/audit").status_code == 403
    member.is_manager = True
    services.save_membership(member, by=owner)
    answer = client.get("/api/v1/audit")
    actions = {event["action"] for event in answer.json()["events"]}
    assert actions == {"team.create", "membership.save", "grant.create"}
    assert {event["object"] for event in answer.json()["events"]} >= {str(member)}


def test_a_revoked_admin_reads_nothing_more(told: None, owner: User) -> None:
    [client] = of(owner)
    line = AuditEvent.objects.get(action="at.prod")
    assert client.get(f"/audit/{line.pk}/").status_code == 200
    services.revoke(Grant.objects.get(team__members=owner), by=None)
    assert client.get(f"/audit/{line.pk}/").status_code == 403
    assert client.get("/audit/export.csv").status_code == 403


# ---- lists and files ----


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"who": "owner"}, ["b", "a"]),
        ({"action": "a"}, ["a"]),
        ({"result": "failed"}, ["c"]),
        ({"object": "a thing"}, ["c", "b", "a"]),
        ({"type": "thing", "id": "1"}, ["c", "b", "a"]),
        ({"q": "BROKE"}, ["c"]),
        ({"since": "2026-02-02", "until": "2026-02-02"}, ["b"]),
        ({"since": "2026-02-02T12:01"}, ["c"]),
        ({"cluster": "nowhere"}, []),
        ({"address": "192.0.2.*"}, ["c"]),
        ({"address": "192.0.2.1"}, ["c"]),
        ({"address": "nonsense"}, []),
    ],
)
def test_filters(admin: User, owner: User, asked: dict[str, str], found: list[str]) -> None:
    for n, (name, by) in enumerate({"a": owner, "b": owner, "c": None}.items(), start=1):
        with time_machine.travel(datetime(2026, 2, n, 12, tzinfo=UTC), tick=False):
            failed = {"result": Result.FAILED, "reason": "it broke"} if name == "c" else {}
            with context.Acting(context.Origin(address="192.0.2.1" if name == "c" else None)):
                audit.record(by, name, THING, **failed)  # type: ignore[arg-type]
    [client] = of(admin)
    answer = client.get("/api/v1/audit", {"type": "thing", **asked}).json()
    assert [event["action"] for event in answer["events"]] == found
    page = client.get("/audit/", {"type": "thing", **asked})
    assert names(page.context["rows"]) == found


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"result": "good"}, "result"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-13-40"}, "until"),
        ({"q": "x" * 201}, "q"),
        ({"cursor": "-1"}, "cursor"),
        ({"cursor": "9" * 40}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_read_is_named(admin: User, asked: dict[str, str], field: str) -> None:
    [client] = of(admin)
    answer = client.get("/api/v1/audit", asked)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert client.get("/audit/", asked).status_code == 200


def test_pages_follow_by_key(admin: User) -> None:
    made = [audit.record(None, "thing.change", THING).pk for _ in range(7)]
    audit.record(None, "other.change", THING)
    [client] = of(admin)
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"action": "thing.*", "limit": "3", **({"cursor": cursor} if cursor else {})}
        answer = client.get("/api/v1/audit", asked).json()
        found += [event["id"] for event in answer["events"]]
        cursor = answer["next"]
    assert found == made[::-1]


def test_the_page_hints_at_new_lines(admin: User) -> None:
    line = audit.record(None, "thing.change", THING)
    [client] = of(admin)
    address = f"/audit/newer/?action=thing.change&newest={line.pk}"
    assert client.get(address).content.strip() == b""
    audit.record(None, "thing.change", THING)
    audit.record(None, "other", THING)
    assert b"1 new line" in client.get(address).content


def test_the_detail_shows_what_changed(owner: User, prod: Cluster) -> None:
    [client] = of(owner)
    patch(client, prod, {"region": "eu", "environment": "dev"})
    line = AuditEvent.objects.get(action="cluster.change")
    page = client.get(f"/audit/{line.pk}/")
    assert [tuple(change) for change in page.context["changes"]] == [
        ("d", "environment", "prod"), ("a", "environment", "dev"),
        ("d", "region", "\u2013"), ("a", "region", "eu"),
    ]  # fmt: skip
    assert b"not sealed yet" in page.content
    chain.seal()
    line.refresh_from_db()
    assert line.hash.encode() in client.get(f"/audit/{line.pk}/").content


def written(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize("path", ["/audit/export", "/api/v1/audit/export"])
def test_files_hold_what_matches(admin: User, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teams.audit.written.CHUNK", 3)
    for n in range(7):
        audit.record(None, "thing.change", THING, before={"n": n}, note="=1+1")
    audit.record(None, "other", THING)
    [client] = of(admin)
    answer = client.get(f"{path}.json", {"action": "thing.change"})
    assert [row["before"]["n"] for row in json.loads(written(answer))] == [6, 5, 4, 3, 2, 1, 0]
    answer = client.get(f"{path}.csv", {"action": "thing.change"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(written(answer))))
    assert [json.loads(row["before"])["n"] for row in rows] == [6, 5, 4, 3, 2, 1, 0]
    assert written(client.get(f"{path}.json", {"action": "none"})) == "[]\n"
    line = AuditEvent.objects.filter(action="audit.export").earliest("pk")
    assert (line.actor_name, line.detail) == ("admin", {"asked": {"action": "thing.change"}})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_no_cell_is_a_formula(admin: User, text: str) -> None:
    assert cell(text) == f"'{text}"
    audit.record(None, "thing.change", Named("thing", "1", text))
    [client] = of(admin)
    answer = client.get("/audit/export.csv", {"action": "thing.change"})
    [row] = csv.DictReader(io.StringIO(written(answer)))
    assert row["object"][0] not in "=+-@\t\r\uff1d"
