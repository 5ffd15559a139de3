"""Who may read the trail, in which parts, and as which files."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from clusters.models import Cluster, Namespace
from teams import audit, services
from teams.audit import chain, context
from teams.audit.written import cell
from teams.models import AuditEvent, Grant, Membership, User
from teams.roles import Role
from teams.trail import Named, Result
from tests import factories
from tests.teams.browsing import of, patch

THING = Named("thing", "1", "a thing")


def names(rows: Iterable[AuditEvent]) -> list[str]:
    return [row.action for row in rows]


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
            with context.acting(context.Origin(address="192.0.2.1" if name == "c" else None)):
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
