"""Every address of MCM with every role: unseen is not there, seen but not allowed is refused."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from explorer.models import SavedView
from teams import audit, services
from teams.audit import transcripts
from teams.models import Grant, Membership, User
from teams.services import tokens
from teams.trail import Result
from tests import factories
from tests.addresses import CASES, OPEN, ROLES, Case

# Whose addresses name something that may be seen or not; kinds are there for everybody.
KEYED = [case for case in CASES if case.key not in {"", "kind"}]
PAGES = [case for case in CASES if not case.name.startswith("api-")]


@pytest.fixture
def world(
    request: pytest.FixtureRequest, prod: Any, chart: Any, pod: Any, operation: Any, release: Any
) -> dict[str, Any]:
    """Everybody, and one object of everything on prod."""
    people = {role: request.getfixturevalue(role) for role in ROLES[1:]}
    objects = {"prod": prod, "chart": chart, "pod": pod, "operation": operation}
    grant = Grant.objects.get(team__members=people["viewer"])
    mate = Membership(team=grant.team, user=factories.UserFactory.create(username="mate"))
    member = services.save_membership(mate, by=None)
    objects |= {"grant": grant, "team": grant.team, "member": member, "person": people["viewer"]}
    objects["event"] = audit.record(None, "cluster.change", prod)
    objects["shell"] = audit.record(None, "kubectl.exec", prod, result=Result.BEGUN)
    transcripts.keep(objects["shell"].pk, [transcripts.Piece(0, b'{"version": 2}\n')])
    viewers = UserSession.objects.create(user=people["viewer"], session_key="s", ip="127.0.0.1")
    objects |= {"session": viewers, "provider": SimpleNamespace(pk="company")}
    token = tokens.make(people["viewer"], tokens.Wanted(timedelta(days=1)), by=None)[0]
    objects |= {"mate": mate.user, "token": token, "kind": SimpleNamespace(pk="deployments")}
    objects["act"] = SimpleNamespace(pk="label")
    objects["view"] = SavedView.objects.create(owner=people["viewer"], kind="Pod", name="mine")
    objects["secret"] = factories.PodFactory.create(cluster=prod, kind="Secret", name="keys")
    return {**people, **objects, "release": release, "anonymous": None}


def asked(case: Case, world: dict[str, Any], role: str, key: Any = None, **headers: str) -> Any:
    """The answer to one person; what it changed is undone."""
    client = Client(headers=headers, raise_request_exception=False)
    user: User | None = world[role]
    if user is not None:
        client.force_login(user)
    args = [(not n and key) or world[name].pk for n, name in enumerate(case.key.split())]
    text = json.dumps(case.body).replace("CHART", str(world["chart"].pk))
    text = text.replace("PROD", str(world["prod"].pk)).replace("POD", str(world["pod"].pk))
    body = json.loads(text)
    kind = {} if case in PAGES or case.method == "GET" else {"content_type": "application/json"}
    with transaction.atomic():
        send = getattr(client, case.method.lower())
        answer = send(reverse(case.name, args=args), body, **kind)
        transaction.set_rollback(True)
    return answer


def named(patterns: list[Any]) -> Iterator[str]:
    """The names of all addresses but those inside the admin site."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from named(pattern.url_patterns)
        else:
            assert isinstance(pattern, URLPattern)
            yield pattern.name or f"{pattern.pattern} has no name"


def test_every_address_has_its_cases() -> None:
    addresses = set(named(get_resolver().url_patterns))
    assert addresses - OPEN == {case.name for case in CASES}
    assert addresses >= OPEN


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_role_gets_its_answer(case: Case, world: dict[str, Any]) -> None:
    found = {role: asked(case, world, role).status_code for role in ROLES}
    assert found == dict(zip(ROLES, map(int, case.answers.split()), strict=True))


def test_what_is_unseen_reads_like_what_is_missing(world: dict[str, Any]) -> None:
    for case in KEYED:
        has_uuid = isinstance(world[case.key.split()[0]].pk, uuid.UUID)
        missing = uuid.uuid4() if has_uuid else 2**40
        with time_machine.travel(datetime.now(UTC), tick=False):
            theirs, none = (asked(case, world, "outsider", key) for key in (None, missing))
        assert theirs.status_code == none.status_code == 404
        assert theirs.headers.items() == none.headers.items(), case
        assert same(theirs.content).splitlines() == same(none.content).splitlines(), case


def same(page: bytes) -> bytes:
    """A page without the CSRF token, which is masked anew for each answer."""
    return re.sub(rb"[A-Za-z0-9]{64}", b"", page)


def test_nobody_gets_a_page_without_signing_in(world: dict[str, Any]) -> None:
    for case in PAGES:
        page = asked(case, world, "anonymous")
        assert page.url.startswith("/login/?next=/"), case
        part = asked(case, world, "anonymous", hx_request="true")
        assert (part.status_code, part.content) == (401, b""), case


def test_the_api_tells_in_json_who_is_not_let_in(world: dict[str, Any]) -> None:
    for case in CASES:
        if case in PAGES:
            continue
        answer = asked(case, world, "anonymous")
        nobody = {"error": "Authentication credentials were not provided.", "fields": {}}
        assert answer.json() == nobody, case
        for role, status in zip(ROLES, case.answers.split(), strict=True):
            if status in {"403", "404"}:
                said = asked(case, world, role).json()
                assert set(said) == {"error", "fields"}, case
                assert said["error"], case


def test_only_post_changes_anything(world: dict[str, Any]) -> None:
    for name, key in (("operation-cancel", "operation"), ("api-operation-cancel", "operation")):
        assert asked(Case(name, "GET", key, ""), world, "admin").status_code == 405
    assert asked(Case("clusters", "POST", "", "", {}), world, "admin").status_code == 405


def test_a_form_without_its_token_is_refused(world: dict[str, Any], client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world["admin"])
    for name in ("cluster-delete", "api-cluster"):
        method = strict.post if name == "cluster-delete" else strict.delete
        answer = method(reverse(name, args=[world["prod"].pk]), {"confirm_name": "prod"})
        assert answer.status_code == 403
    world["prod"].refresh_from_db()


def test_only_platform_admins_may_open_the_admin_site(world: dict[str, Any]) -> None:
    """tests/teams/test_admin_pages.py has all of its addresses."""
    expected = dict.fromkeys(ROLES, 403) | {"anonymous": 302, "admin": 200}
    assert {role: asked_site(world[role]) for role in ROLES} == expected


def asked_site(user: User | None) -> int:
    client = Client()
    if user is None:
        return client.get("/admin/").status_code
    client.force_login(user)
    return client.get("/admin/", follow=True).status_code


@pytest.mark.django_db
def test_what_is_open_is_open_to_everybody(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 200
    assert client.get("/login/").status_code == 200
    assert client.get("/favicon.ico").headers["Location"] == "/static/favicon.svg"
    assert client.post("/logout/").status_code == 302


@pytest.mark.django_db
def test_the_language_can_be_chosen_before_signing_in(client: Client) -> None:
    answer = client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/login/"})
    assert answer.headers["Location"] == "/login/"
    assert client.get("/login/").headers["Content-Language"] == "zh-hans"


def test_signing_out_takes_a_post_and_ends_the_session(viewer: User, client: Client) -> None:
    client.force_login(viewer)
    assert client.get("/logout/").status_code == 405
    assert client.get("/").status_code == 200
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/").status_code == 302
