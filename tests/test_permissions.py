"""Every address of MCM with every role: unseen is not there, seen but not allowed is refused."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from teams import services
from teams.models import Grant, Membership, User
from tests import factories

ROLES = (
    "anonymous", "outsider", "shop_viewer", "shop_operator", "viewer", "operator", "owner", "admin",
)  # fmt: skip
# Reviewed: these are for everybody, or answer for themselves; their own tests are at the end.
OPEN = {"healthz", "readyz", "metrics", "login", "logout", "set_language", "icon"}


class Case(NamedTuple):
    """One address and method; `key` is the fixture that it names, `answers` one status a role."""

    name: str
    method: str
    key: str
    answers: str
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


INSTALL = {"cluster": "prod", "namespace": "shop", "name": "new", "chart": {"upload": "CHART"}}
FORM = {"cluster": "PROD", "namespace": "shop", "name": "new", "chart": "CHART", "timeout": "60"}
BAD, PROD, WEB = {"name": "-"}, {"confirm_name": "prod"}, {"confirm_name": "web"}
MANAGER, UNNAMED = {"manager": "true"}, {"name": "a b"}
ON = {"name": "a.example", "on": "true"}
# 400 and 422: let in, and told what is wrong with what was sent.
#     address            method    key         anon out s_vw s_op view oper own admin
CASES = [
    Case("fleet",             "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("clusters",          "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("cluster-register",  "GET",    "",          "302 403 403 403 403 403 403 200"),
    Case("cluster-register",  "POST",   "",          "302 403 403 403 403 403 403 422", BAD),
    Case("cluster-detail",    "GET",    "prod",      "302 404 200 200 200 200 200 200"),
    Case("cluster-manifest",  "GET",    "",          "302 403 403 403 403 403 403 200"),
    Case("cluster-edit",      "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-edit",      "POST",   "prod",      "302 404 403 403 403 403 422 422", BAD),
    Case("cluster-credentials", "GET",  "prod",      "302 404 403 403 403 403 403 200"),
    Case("cluster-credentials", "POST", "prod",      "302 404 403 403 403 403 403 422", BAD),
    Case("cluster-kinds",     "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-kinds",     "POST",   "prod",      "302 404 403 403 403 403 422 422", ON),
    Case("cluster-grant",     "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-grant",     "POST",   "prod",      "302 404 403 403 403 403 422 422", BAD),
    Case("grant-revoke",      "GET",    "grant",     "302 404 404 404 403 404 200 200"),
    Case("grant-revoke",      "POST",   "grant",     "302 404 404 404 403 404 302 302"),
    Case("teams",             "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("team-create",       "GET",    "",          "302 403 403 403 403 403 403 200"),
    Case("team-create",       "POST",   "",          "302 403 403 403 403 403 403 422", UNNAMED),
    Case("team-detail",       "GET",    "team",      "302 404 404 404 200 404 404 200"),
    Case("team-edit",         "GET",    "team",      "302 404 404 404 403 404 404 200"),
    Case("team-edit",         "POST",   "team",      "302 404 404 404 403 404 404 422", UNNAMED),
    Case("team-delete",       "GET",    "team",      "302 404 404 404 403 404 404 200"),
    Case("team-delete",       "POST",   "team",      "302 404 404 404 403 404 404 422", BAD),
    Case("team-add",          "GET",    "team",      "302 404 404 404 403 404 404 200"),
    Case("team-add",          "POST",   "team",      "302 404 404 404 403 404 404 422", BAD),
    Case("member-manager",    "POST",   "member",    "302 404 404 404 403 404 404 302", MANAGER),
    Case("member-remove",     "POST",   "member",    "302 404 404 404 403 404 404 302"),
    Case("person",            "GET",    "person",    "302 404 404 404 200 404 404 200"),
    Case("cluster-delete",    "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-delete",    "POST",   "prod",      "302 404 403 403 403 403 302 302", PROD),
    Case("api-clusters",      "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-clusters",      "POST",   "",          "401 403 403 403 403 403 403 400", {}),
    Case("api-cluster",       "GET",    "prod",      "401 404 200 200 200 200 200 200"),
    Case("api-cluster",       "PATCH",  "prod",      "401 404 403 403 403 403 200 200", {}),
    Case("api-cluster-manifest", "GET", "",          "401 403 403 403 403 403 403 200"),
    Case("api-cluster",       "DELETE", "prod",      "401 404 403 403 403 403 200 200"),
    Case("api-stats",         "GET",    "prod",      "401 404 200 200 200 200 200 200"),
    Case("api-resources",     "GET",    "prod",      "401 404 502 502 502 502 502 502"),
    Case("api-usage",         "GET",    "prod",      "401 404 403 403 200 200 200 200"),
    Case("pods",              "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("pod-rows",          "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("pod-detail",        "GET",    "pod",       "302 404 200 200 200 200 200 200"),
    Case("api-objects",       "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-schema",        "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-docs",          "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("operations",        "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("operations-recent", "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("operation-detail",  "GET",    "operation", "302 404 200 200 200 200 200 200"),
    Case("operation-cancel",  "POST",   "operation", "302 404 403 302 403 302 302 302"),
    Case("api-operation",     "GET",    "operation", "401 404 200 200 200 200 200 200"),
    Case("api-operation-cancel", "POST", "operation", "401 404 403 202 403 202 202 202"),
    Case("releases",          "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("release-detail",    "GET",    "release",   "302 404 200 200 200 200 200 200"),
    Case("release-install",   "GET",    "",          "302 200 403 200 403 200 200 200"),
    Case("release-install",   "POST",   "",          "302 422 403 302 403 302 302 302", FORM),
    Case("release-uninstall", "GET",    "release",   "302 404 403 200 403 200 200 200"),
    Case("release-uninstall", "POST",   "release",   "302 404 403 302 403 302 302 302", WEB),
    Case("api-charts",        "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-charts",        "POST",   "",          "401 400 403 400 403 400 400 400", {}),
    Case("api-releases",      "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-releases",      "POST",   "",          "401 400 403 202 403 202 202 202", INSTALL),
    Case("api-release",       "GET",    "release",   "401 404 200 200 200 200 200 200"),
    Case("api-release",       "DELETE", "release",   "401 404 403 202 403 202 202 202"),
]  # fmt: skip
KEYED = [case for case in CASES if case.key]
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
    return {**people, **objects, "release": release, "anonymous": None}


def asked(case: Case, world: dict[str, Any], role: str, key: Any = None, **headers: str) -> Any:
    """The answer to one person; what it changed is undone."""
    client = Client(headers=headers, raise_request_exception=False)
    user: User | None = world[role]
    if user is not None:
        client.force_login(user)
    args = [key or world[case.key].pk] if case.key else []
    text = json.dumps(case.body).replace("CHART", str(world["chart"].pk))
    body = json.loads(text.replace("PROD", str(world["prod"].pk)))
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
        has_uuid = isinstance(world[case.key].pk, uuid.UUID)
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
