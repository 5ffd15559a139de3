"""Tokens of one's own and of a team's robots, made, listed and revoked by the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from clusters.models import Cluster
from teams import executor, services, tasks
from teams.models import AuditEvent, Team, Token, User
from teams.roles import Level, Reach, Role
from teams.services import tokens
from tests import factories

DAY = timedelta(days=1)
API = "/api/v1/tokens"


def call(who: User | str, method: str, path: str, body: Any = None) -> Any:
    """As a person by a session, or by a token."""
    client = Client()
    if isinstance(who, User):
        client.force_login(who)
    headers = {} if isinstance(who, User) else {"authorization": f"Bearer {who}"}
    send = getattr(client, method.lower())
    return send(path, body, content_type="application/json", headers=headers)


def make(user: User, level: Level = Level.ADMIN, *only: Cluster, lasts: timedelta = DAY) -> str:
    reach = Reach(level, frozenset(each.pk for each in only) or None)
    return tokens.make(user, tokens.Wanted(lasts, "t", reach), by=None)[1]


@pytest.fixture
def crew(db: None, prod: Cluster) -> Team:
    """Ann manages it, Bob is in it; it operates prod."""
    people = [factories.UserFactory.create(username=name) for name in ("ann", "bob")]
    team = factories.team("crew", *people)
    team.membership_set.filter(user=people[0]).update(is_manager=True)
    services.grant(team, Role.OPERATOR, prod, by=None)
    return team


def ann() -> User:
    return User.objects.get(username="ann")


def test_a_token_is_made_told_once_listed_and_revoked(viewer: User, prod: Cluster) -> None:
    body = {"name": "ci", "scope": "operate", "clusters": ["prod"], "days": 7}
    made = call(viewer, "POST", API, body)
    assert made.status_code == 201
    said = made.json()
    assert said["token"].startswith("mcm_")
    assert (said["scope"], said["clusters"]) == ("operate", ["prod"])
    assert call(said["token"], "GET", "/api/v1/clusters").json()["total"] == 1
    [listed] = call(viewer, "GET", API).json()["tokens"]
    assert {**listed, "lastUsed": None, "lastAddress": None} == {
        name: value for name, value in said.items() if name != "token"
    }
    assert listed["lastAddress"] == "127.0.0.1"
    assert listed["lastUsed"]
    lines = AuditEvent.objects.filter(action="token.create")
    assert said["token"] not in str(list(lines.values()))
    assert call(viewer, "DELETE", f"{API}/{said['id']}").status_code == 200
    assert call(said["token"], "GET", "/api/v1/clusters").status_code == 401
    assert AuditEvent.objects.latest("pk").action == "token.revoke"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("scope", "all"),
        ("clusters", ["other"]),
        ("clusters", []),
        ("days", 0),
        ("days", 366),
        ("user", 1),
        ("is_staff", True),
        ("expires", None),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    field: str, value: Any, viewer: User, other: Cluster
) -> None:
    answer = call(viewer, "POST", API, {"name": "ci", field: value})
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {field}
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("level", "only", "asked", "status"),
    [
        (Level.ADMIN, [], {"scope": "admin"}, 201),
        (Level.READ, [], {"scope": "read"}, 403),
        (Level.OPERATE, [], {"scope": "read"}, 403),
        (Level.ADMIN, ["prod"], {"scope": "admin", "clusters": ["prod"]}, 201),
        (Level.ADMIN, ["prod"], {"scope": "read"}, 400),
        (Level.ADMIN, ["prod"], {"scope": "read", "clusters": ["other"]}, 400),
        (Level.ADMIN, ["prod"], {"scope": "read", "clusters": ["prod", "other"]}, 400),
    ],
)
def test_a_token_makes_no_wider_one(
    level: Level, only: list[str], asked: Any, status: int, admin: User, prod: Any, other: Any
) -> None:
    named = {"prod": prod, "other": other}
    token = make(admin, level, *(named[name] for name in only))
    before = Token.objects.get()
    answer = call(token, "POST", API, {"name": "next", "days": 300, **asked})
    assert answer.status_code == status, answer.content
    made = Token.objects.exclude(pk=before.pk)
    assert [row.expiry for row in made] == ([before.expiry] if status == 201 else [])


def test_a_token_of_low_scope_revokes_itself_only(viewer: User) -> None:
    token, other = make(viewer, Level.READ), make(viewer, Level.READ)
    rows = {row.token_key: row.pk for row in Token.objects.all()}
    assert call(token, "DELETE", f"{API}/{rows[other[:15]]}").status_code == 403
    assert call(token, "DELETE", f"{API}/{rows[token[:15]]}").status_code == 200
    assert call(token, "GET", API).status_code == 401


def test_a_manager_makes_a_robot_that_does_what_the_team_may(crew: Team, prod: Cluster) -> None:
    path = f"/api/v1/teams/{crew.pk}/tokens"
    body = {"name": "deploy", "scope": "admin"}
    assert call(User.objects.get(username="bob"), "POST", path, body).status_code == 403
    made = call(ann(), "POST", path, body)
    assert made.status_code == 201
    robot = made.json()["token"]
    me = call(robot, "GET", "/api/v1/people/me").json()
    assert me["username"] == "robot:crew:deploy"
    assert [(each["cluster"], each["actions"]) for each in me["holdings"]] == [
        ("prod", ["view", "operate"])
    ]
    assert call(robot, "DELETE", f"/api/v1/clusters/{prod.pk}").status_code == 403
    assert call(robot, "POST", API, {"name": "another"}).status_code == 403
    assert call(robot, "POST", path, body).status_code == 403
    assert call(ann(), "POST", path, body).json()["fields"].keys() == {"name"}
    names = [each["name"] for each in call(ann(), "GET", path).json()["tokens"]]
    assert names == ["deploy"]
    members = call(ann(), "GET", f"/api/v1/teams/{crew.pk}/members").json()
    assert [each["username"] for each in members["members"]] == ["ann", "bob"]
    assert call(ann(), "DELETE", f"{API}/{made.json()['id']}").status_code == 200
    assert call(robot, "GET", "/api/v1/clusters").status_code == 401
    assert not User.objects.get(username="robot:crew:deploy").is_active


def test_a_robot_is_told_by_its_name_and_its_team_follows(crew: Team, prod: Cluster) -> None:
    _row, text = tokens.make_robot(crew, tokens.Wanted(DAY, "ci"), by=ann())
    robot = User.objects.get(robot_of=crew)
    assert str(robot) == "robot ci of team crew"
    services.grant(crew, Role.ADMIN, prod, by=None)
    patched = call(text, "PATCH", f"/api/v1/clusters/{prod.pk}", {"region": "eu"})
    assert patched.status_code == 200
    assert AuditEvent.objects.latest("pk").actor_name == "robot ci of team crew"
    crew.name = "sailors"
    services.save_team(crew, by=None)
    robot.refresh_from_db()
    assert str(robot) == "robot ci of team sailors"


def test_a_robot_never_signs_in_nor_becomes_staff(crew: Team) -> None:
    tokens.make_robot(crew, tokens.Wanted(DAY, "ci"), by=ann())
    for values in ({"password": "pbkdf2_sha256$x"}, {"is_staff": True}, {"is_superuser": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(robot_of=crew).update(**values)
    form = {"username": "robot:crew:ci", "password": ""}
    assert Client().post("/login/", form).status_code == 422
    joining = {"username": "robot:crew:ci"}
    assert call(ann(), "POST", f"/api/v1/teams/{crew.pk}/members", joining).status_code == 400


def test_there_is_an_end_to_how_many(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 1)
    assert call(viewer, "POST", API, {"name": "a"}).status_code == 201
    assert call(viewer, "POST", API, {"name": "b"}).json()["fields"].keys() == {"name"}


def test_the_last_use_is_written_once_a_minute(viewer: User) -> None:
    token = make(viewer)
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False):
        Token.objects.update(expiry=None)
        call(token, "GET", API)
        first = Token.objects.get().last_used
    for seconds, fresh in ((59, False), (61, True)):
        then = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        with time_machine.travel(then, tick=False):
            call(token, "GET", API)
            assert (Token.objects.get().last_used == then) is fresh
    assert first == datetime(2030, 1, 1, tzinfo=UTC)


def test_what_is_over_for_long_is_forgotten(viewer: User) -> None:
    make(viewer, lasts=DAY)
    with time_machine.travel(datetime.now(UTC) + DAY * 2):
        tasks.forget_tokens()
        assert Token.objects.get().is_over
    with time_machine.travel(datetime.now(UTC) + DAY * 2 + executor.TOKENS_SHOWN_FOR):
        tasks.forget_tokens()
    assert not Token.objects.exists()


def test_the_command_takes_a_scope_clusters_and_a_name(viewer: User, prod: Cluster) -> None:
    words = ("viewer", "--scope", "read", "--cluster", "prod", "--days", "3", "--name", "cron")
    call_command("create_token", *words)
    row = Token.objects.get()
    assert (row.name, row.level, row.only) == ("cron", "read", [prod.pk])
    with pytest.raises(CommandError, match="nowhere"):
        call_command("create_token", "viewer", "--cluster", "nowhere")
