"""What the trail tells of tries that were refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from clusters.models import Cluster
from teams import tasks
from teams.audit import denials
from teams.models import AuditEvent, User
from teams.trail import Result
from tests.teams.browsing import of, patch


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
    from teams.admin.people import McmUserAdmin

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


def test_the_admin_site_tells_nothing_that_was_not_done(admin: User, viewer: User) -> None:
    [client] = of(admin)
    form = f"/admin/teams/user/{viewer.pk}/change/"
    told = AuditEvent.objects.count()
    # Nothing was chosen for the action.
    assert client.post("/admin/teams/user/", {"action": "disable", "index": 0}).status_code == 302
    # The question who it is stands before the form.
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    answer = client.post(form, {"username": "renamed"})
    assert answer.status_code in {302, 403}
    assert AuditEvent.objects.exclude(result=Result.DENIED).count() == told


def test_nor_of_a_form_that_changed_nothing(
    admin: User, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from teams.admin.people import McmUserAdmin

    monkeypatch.setattr(McmUserAdmin, "save_model", lambda *_: None)
    [client] = of(admin)
    told = AuditEvent.objects.count()
    same = {"username": "viewer", "is_active": "on"}
    assert client.post(f"/admin/teams/user/{viewer.pk}/change/", same).status_code == 302
    assert AuditEvent.objects.count() == told
