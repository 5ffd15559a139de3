"""Every page of the Django admin: opens for platform admins only, quickly, and tells no secret."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as site
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from guardian.models import UserObjectPermission

from clusters.models import (
    Capacity,
    Cluster,
    CustomResource,
    Image,
    KindState,
    Lease,
    Object,
    PollDue,
    Watcher,
)  # fmt: skip
from deployments.models import Chart, Release, ReleaseList
from explorer.models import ColumnChoice, SavedView
from operations.models import Former, LogLine, Operation, Step
from teams.admin import rows
from teams.models import (
    AuditAnchor,
    AuditEvent,
    AuditForward,
    DeniedTry,
    Grant,
    GroupMapping,
    Membership,
    Team,
    TranscriptPiece,
    User,
)
from teams.services import tokens
from tests import factories

MODELS = sorted(site.site._registry, key=lambda model: model._meta.label)
ADDED_HERE = {Grant, GroupMapping, Membership, Team, User}
# Reviewed. Keys of sessions are as good as passwords; content types are Django's own names of
# models; Django's admin cannot name rows whose key has several columns; providers stand in the
# settings, and the rest of django-allauth's is each person's own.
WITHOUT_LISTS = {
    "sessions.Session", "contenttypes.ContentType", "clusters.Usage", "clusters.UsageHour",
    "account.EmailAddress", "account.EmailConfirmation", "mfa.Authenticator",
    "socialaccount.SocialAccount", "socialaccount.SocialApp", "socialaccount.SocialToken",
    "usersessions.UserSession",
}  # fmt: skip


@pytest.fixture
def inside(client: Client, admin: User) -> Client:
    """The client in the admin site."""
    client.force_login(admin)
    return client


@pytest.fixture
def planted(
    operator: User, admin: User, shop_viewer: User, pod: Object, release: Release, chart: Chart,
    prod: Cluster,
) -> list[str]:  # fmt: skip
    """A row of every model; what of them must stand on no page."""
    operator.password = "pbkdf2_sha256$1$planted-salt$planted-hash="
    operator.save()
    token, secret = tokens.make(operator, tokens.Wanted(timedelta(days=1), name="ci"), by=None)
    team = operator.teams.get()
    _robot, robots = tokens.make_robot(
        team, tokens.Wanted(timedelta(days=1), name="nightly"), by=admin
    )
    GroupMapping.objects.create(provider="company", group="g", team=team)
    AuditAnchor.objects.create(
        kind="head", seq=1, hash="0" * 64, mac="planted-mac", at=timezone.now()
    )
    AuditForward.objects.create(target="syslog")
    tried = AuditEvent.objects.latest("pk")
    DeniedTry.objects.create(key="k", actor_id=operator.pk, event=tried, until=timezone.now())
    TranscriptPiece.objects.create(pk="p", event=tried, number=0, sealed=b"planted-transcript")
    Chart.objects.update(values="key: planted-value")
    work = factories.OperationFactory.create(cluster=prod, payload=b'{"values": "planted-input"}')
    LogLine.objects.create(operation=work, text="a line")
    step = Step.objects.create(
        operation=work, position=0, cluster=prod, kind="Pod", name="web-1", uid="u"
    )
    Former.objects.create(step=step, sealed=b"planted-former")
    LogEntry.objects.create(user=operator, object_repr="a row", action_flag=CHANGE)
    permission = Permission.objects.get(codename="view_cluster")
    UserObjectPermission.objects.create(
        user=operator, permission=permission, content_type=permission.content_type,
        object_pk=str(prod.pk),
    )  # fmt: skip
    KindState.objects.create(cluster=prod, kind="Pod", state="watching")
    Lease.objects.create(cluster=prod, owner="me", expires=timezone.now())
    Watcher.objects.create(owner="me", expires=timezone.now())
    PollDue.objects.create(cluster=prod, due=timezone.now())
    Capacity.objects.create(cluster=prod, sampled_at=timezone.now())
    ReleaseList.objects.create(cluster=prod)
    Image.objects.get_or_create(name="web:1")
    CustomResource.objects.create(
        cluster=prod, group="a.example", version="v1", plural="as", kind="A", namespaced=True
    )
    SavedView.objects.create(owner=operator, kind="Pod", name="broken", query="health=failing")
    ColumnChoice.objects.create(user=operator, kind="Pod", columns=["name"])
    sealed = bytes(prod.sealed_connection)
    return [
        "planted-", secret, robots, token.digest, token.token_key,
        repr(sealed)[2:40], sealed.hex()[:40], "sealed_connection", "sealed_input",
        "706c616e7465642d",
    ]  # fmt: skip


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_model_has_its_list_or_a_reason_why_not() -> None:
    ours = {model._meta.label for model in apps.get_models()}
    assert ours - WITHOUT_LISTS == {model._meta.label for model in MODELS}
    assert ours >= WITHOUT_LISTS


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_page_opens_and_tells_no_secret(
    model: type[Model], language: str, inside: Client, planted: list[str]
) -> None:
    inside.cookies["django_language"] = language
    pages = [inside.get(address(model, "changelist"))]
    row = pages[0].context["cl"].queryset.order_by("-pk").first()
    assert row is not None
    pages.append(inside.get(address(model, "changelist"), {"q": "x"}))
    pages += [inside.get(address(model, name, row.pk)) for name in ("change", "history")]
    try:
        adding = inside.get(address(model, "add"))
    except NoReverseMatch:
        adding = inside.get("/admin/")
    assert adding.status_code == (200 if model in ADDED_HERE else 403)
    if model in ADDED_HERE:
        pages += [adding, inside.get(address(model, "delete", row.pk))]
    for page in pages:
        assert page.status_code == 200
        assert page.headers["Content-Language"] == language
        text = page.content.decode()
        assert [secret for secret in planted if secret in text] == []
        assert _inline(text) == []


def _inline(page: str) -> list[str]:
    """What the policy would not run: scripts and styles in the page itself."""
    return re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\son\w+=\"", page)


def test_what_goes_with_a_user_is_not_named_by_its_secret(
    inside: Client, planted: list[str], operator: User
) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [operator.pk]}
    for page in (
        inside.get(address(User, "delete", operator.pk)),
        inside.post(address(User, "changelist"), chosen),
    ):
        text = page.content.decode()
        assert "operator" in text
        assert [secret for secret in planted if secret in text] == []
        assert 'value="yes"' in text, "nothing stands in the way"


def test_the_site_has_a_policy_of_its_own(inside: Client) -> None:
    """Looser than elsewhere by what the theme's Alpine.js needs, and no more."""
    here, there = (
        dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
        for page in (inside.get("/admin/"), inside.get("/teams/"))
    )
    differs = {name for name in here if here[name] != there.get(name)}
    assert differs == {"script-src", "style-src-attr"}
    assert here["script-src"] == "'self' 'unsafe-eval'"
    assert here["style-src-attr"] == "'unsafe-inline'"


def test_a_long_list_is_counted_and_turned_only_so_far(
    inside: Client, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST", 120)
    factories.pods(prod, (f"web-{n}" for n in range(200)))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = inside.get(address(Object, "changelist"))
    assert "120+ objects" in page.content.decode()
    counts = [query["sql"] for query in asked if "COUNT(*)" in query["sql"]]
    assert counts
    assert all("LIMIT 121" in sql for sql in counts if "clusters_object" in sql)
    last = inside.get(address(Object, "changelist"), {"p": "3"})
    assert len(last.context["cl"].result_list) == 20
    narrowed = inside.get(address(Object, "changelist"), {"q": "web-17"})
    assert narrowed.context["cl"].result_count == 11


def test_a_list_asks_as_often_for_many_rows_as_for_few(inside: Client, prod: Cluster) -> None:
    def queries(model: type[Model]) -> int:
        with CaptureQueriesContext(connection) as asked:
            inside.get(address(model, "changelist"))
        return len(asked)

    def more(n: int) -> None:
        for _ in range(n):
            factories.give(factories.UserFactory.create(), "viewer", prod)  # type: ignore[arg-type]
            factories.OperationFactory.create(cluster=prod)
            factories.PodFactory.create(cluster=prod)

    models = (Grant, Operation, Object, Membership, Team, User)
    more(2)
    for model in models:
        queries(model)  # content types are remembered
    few = {model: queries(model) for model in models}
    more(5)
    assert {model: queries(model) for model in models} == few


@pytest.mark.parametrize("role", ["outsider", "shop_viewer", "viewer", "operator", "owner"])
def test_only_platform_admins_enter(
    request: pytest.FixtureRequest, client: Client, role: str
) -> None:
    """Whatever Django's own flags say."""
    person = request.getfixturevalue(role)
    person.is_staff = True
    person.save()
    person.user_permissions.set(Permission.objects.all())
    client.force_login(person)
    there = ["/admin/", "/admin/login/", "/admin/search/", "/admin/jsi18n/"]
    there += [address(model, "changelist") for model in MODELS]
    assert {path: client.get(path, follow=True).status_code for path in there} == dict.fromkeys(
        there, 403
    )


@pytest.mark.django_db
def test_one_signs_in_at_the_same_door_as_everybody(client: Client) -> None:
    for path in ("/admin/", "/admin/login/", "/admin/teams/user/"):
        answer = client.get(path, follow=True)
        assert answer.request["PATH_INFO"] == "/login/"
    answer = client.post("/admin/login/", {"username": "a", "password": "b"})
    assert answer.headers["Location"].startswith("/login/?next=")


def test_signing_out_here_is_signing_out(inside: Client) -> None:
    answer = inside.post("/admin/logout/", follow=True)
    assert answer.status_code == 200
    assert inside.get("/admin/").status_code == 302
