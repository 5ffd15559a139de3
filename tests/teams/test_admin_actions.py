"""Actions on many rows of the Django admin: asked first, done by services, told by the trail."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from clusters import tasks
from clusters.models import Cluster
from operations.models import Operation, Status
from teams import access
from teams.admin import bulk
from teams.models import AuditEvent, Grant, Token, User
from teams.roles import Action
from teams.services import tokens
from tests import factories

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def inside(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def chosen(client: Client, model: type[Model], action: str, *keys: Any) -> Any:
    """The answer to the first click: the page that asks."""
    data = {"action": action, "_selected_action": keys}
    return client.post(listed(model), data)


def confirmed(client: Client, page: Any) -> Any:
    """What is said after the answer yes, with just what the page would send."""
    keys = [key for key, _name in page.context["chosen"]]
    data = {"action": page.context["action"], "_selected_action": keys, "post": "yes"}
    return client.post(listed(page.context["opts"].model), data, follow=True)


def listed(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def trail() -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(actor_name="admin").order_by("pk")
    return list(rows.values_list("actor_name", "action", "object_name"))


def test_people_are_disabled_and_enabled(inside: Client, viewer: User, prod: Cluster) -> None:
    page = chosen(inside, User, "disable", viewer.pk)
    assert not User.objects.filter(is_active=False).exists(), "nothing before it is confirmed"
    assert "viewer" in page.content.decode()
    said = confirmed(inside, page)
    assert "Done for 1 row." in said.content.decode()
    viewer.refresh_from_db()
    assert not viewer.is_active
    assert not access.may(viewer, Action.VIEW, prod)
    confirmed(inside, chosen(inside, User, "enable", viewer.pk))
    viewer.refresh_from_db()
    assert access.may(viewer, Action.VIEW, prod)
    assert trail() == [("admin", "user.disable", "viewer"), ("admin", "user.enable", "viewer")]


def test_nobody_disables_himself(inside: Client, admin: User, viewer: User) -> None:
    said = confirmed(inside, chosen(inside, User, "disable", admin.pk, viewer.pk))
    assert "admin: You cannot do this to yourself." in said.content.decode()
    admin.refresh_from_db()
    viewer.refresh_from_db()
    assert (admin.is_active, viewer.is_active) == (True, False)


def test_grants_are_taken_back(inside: Client, viewer: User, owner: User, prod: Cluster) -> None:
    row = Grant.objects.get(team__members=viewer)
    confirmed(inside, chosen(inside, Grant, "end", row.pk))
    assert not access.may(viewer, Action.VIEW, prod)
    assert access.may(owner, Action.ADMIN, prod)
    assert [action for _who, action, _name in trail()] == ["grant.delete"]


def test_tokens_are_revoked_and_never_named_by_what_opens(
    inside: Client, viewer: User, owner: User
) -> None:
    theirs, secret = tokens.make(viewer, tokens.Wanted(timedelta(days=1), name="ci"), by=None)
    kept, _secret = tokens.make(owner, tokens.Wanted(timedelta(days=1)), by=None)
    page = inside.get(listed(Token)).content.decode()
    asked = chosen(inside, Token, "revoke", theirs.pk)
    for text in (page, asked.content.decode()):
        assert "viewer" in text
        for planted in (theirs.digest, theirs.token_key, secret, kept.digest, kept.token_key):
            assert planted not in text
    confirmed(inside, asked)
    assert list(Token.objects.all()) == [kept]
    assert trail() == [("admin", "token.revoke", "ci of viewer")]
    answer = Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/clusters")
    assert answer.status_code == 401


def test_the_robot_of_a_revoked_token_rests(inside: Client, admin: User, viewer: User) -> None:
    wanted = tokens.Wanted(timedelta(days=1), name="nightly")
    row, secret = tokens.make_robot(viewer.teams.get(), wanted, by=admin)
    calls = Client(headers={"Authorization": f"Bearer {secret}"})
    assert calls.get("/api/v1/clusters").status_code == 200
    confirmed(inside, chosen(inside, Token, "revoke", row.pk))
    assert calls.get("/api/v1/clusters").status_code == 401
    assert not User.objects.get(pk=row.user_id).is_active


def test_clusters_are_polled_at_once(
    inside: Client, prod: Cluster, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    sent: list[Any] = []
    monkeypatch.setattr(tasks.poll_cluster, "apply_async", lambda args, **_how: sent.append(args))
    with django_capture_on_commit_callbacks(execute=True):
        confirmed(inside, chosen(inside, Cluster, "poll", prod.pk))
    assert sent == [(str(prod.pk),)]
    assert trail() == [("admin", "cluster.poll", "prod")]


def test_work_is_cancelled(inside: Client, operation: Operation) -> None:
    confirmed(inside, chosen(inside, Operation, "cancel", operation.pk))
    operation.refresh_from_db()
    assert operation.status == Status.CANCELLED
    assert [action for _who, action, _name in trail()] == ["operation.cancel"]


def test_too_many_rows_are_refused_rather_than_half_done(
    inside: Client, viewer: User, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 1)
    answer = chosen(inside, User, "disable", viewer.pk, owner.pk)
    assert answer.status_code == 302
    assert User.objects.filter(is_active=False).count() == 0


def test_who_is_no_platform_admin_does_nothing_here(client: Client, owner: User) -> None:
    client.force_login(owner)
    victim = factories.UserFactory.create()
    data = {"action": "disable", "_selected_action": [victim.pk], "post": "yes"}
    assert client.post(listed(User), data).status_code in {302, 403}
    victim.refresh_from_db()
    assert victim.is_active
