"""Changing name, environment and region, by page and by API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404
from django.test import Client

from clusters.models import Cluster
from clusters.services import editing, kinds, registration
from teams.models import AuditEvent, User


def patched(client: Client, cluster: Cluster, body: Any) -> Any:
    path = f"/api/v1/clusters/{cluster.pk}"
    return client.patch(path, body, content_type="application/json")


def test_the_page_changes_the_cluster_and_tells_before_and_after(
    client: Client, owner: User, prod: Cluster
) -> None:
    client.force_login(owner)
    assert b'value="prod"' in client.get(f"/clusters/{prod.pk}/edit/").content
    data = {"name": "prod-eu", "environment": "staging", "region": "eu"}
    answer = client.post(f"/clusters/{prod.pk}/edit/", data)
    assert answer.headers["Location"] == f"/clusters/{prod.pk}/"
    prod.refresh_from_db()
    assert (prod.name, prod.environment, prod.region) == ("prod-eu", "staging", "eu")
    event = AuditEvent.objects.get(action="cluster.change")
    assert event.before == {"name": "prod", "environment": "prod", "region": ""}
    assert event.after == {"name": "prod-eu", "environment": "staging", "region": "eu"}
    assert event.actor_name == "owner"


def test_nothing_changed_is_no_change(client: Client, owner: User, prod: Cluster) -> None:
    client.force_login(owner)
    assert patched(client, prod, {"name": "prod"}).status_code == 200
    assert not AuditEvent.objects.filter(action="cluster.change").exists()


def test_the_api_changes_what_it_is_told(client: Client, owner: User, prod: Cluster) -> None:
    client.force_login(owner)
    answer = patched(client, prod, {"region": "eu-1"})
    assert (answer.status_code, answer.json()["region"]) == (200, "eu-1")
    assert answer.json()["name"] == "prod"


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "-x"), ("name", ""), ("environment", "test"), ("region", "x" * 64), ("colour", "red"),
     ("customResources", "x"), ("customResources", [7.5, {}]), ("name", 7), ("region", 1.5),
     ("region", ["eu"]), ("environment", None), ("environment", "\ud800"), ("context", "one"),
     ("\ud800", 1)],
)  # fmt: skip
def test_a_bad_field_is_named(
    field: str, value: Any, client: Client, owner: User, prod: Cluster
) -> None:
    client.force_login(owner)
    answer = patched(client, prod, {field: value})
    assert answer.status_code == 400
    assert next(iter(answer.json()["fields"])).partition(".")[0] == field.replace("\ud800", "?")


def test_a_taken_name_is_a_409_and_an_error_of_the_form(
    client: Client, admin: User, prod: Cluster, other: Cluster
) -> None:
    client.force_login(admin)
    answer = patched(client, prod, {"name": "other", "region": "eu"})
    assert answer.status_code == 409
    data = {"name": "other", "environment": "prod", "region": ""}
    page = client.post(f"/clusters/{prod.pk}/edit/", data)
    assert page.status_code == 422
    assert "name" in page.context["form"].errors
    assert b"Edit prod" in page.content
    prod.refresh_from_db()
    assert (prod.name, prod.region) == ("prod", "")


def test_credentials_are_for_platform_admins(client: Client, owner: User, prod: Cluster) -> None:
    client.force_login(owner)
    assert patched(client, prod, {"kubeconfig": "x", "region": "eu"}).status_code == 403
    prod.refresh_from_db()
    assert prod.region == ""


def test_who_edits_what_is_deleted_meanwhile_is_told_so(owner: User, prod: Cluster) -> None:
    stale = Cluster.objects.get()
    registration.delete(prod, by=owner)
    changes: list[Callable[[], object]] = [
        lambda: editing.change(stale, editing.Changes(region="eu"), by=owner),
        lambda: kinds.watch_only(stale, (), [], by=owner),
        lambda: registration.delete(stale, by=owner),
    ]
    for change in changes:
        with pytest.raises(Http404):
            change()
    assert AuditEvent.objects.filter(action="cluster.delete").count() == 1
