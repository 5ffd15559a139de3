"""What is stored of a listing of releases, and that nothing of it can stop the rest."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.signals import worker_init
from django.db import connection
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, Status
from deployments import executor, helm, store, tasks
from deployments.helm import replies, workspace
from deployments.models import Release, ReleaseList
from operations.executor import BROKEN
from teams.models import User

Told = Callable[[], AbstractContextManager[list[dict[str, Any]]]]


def seen(name: str = "web", **facts: Any) -> helm.Release:
    """A release of a listing."""
    good: dict[str, Any] = {
        "namespace": "shop", "revision": 1, "status": "deployed", "chart": "demo",
        "chart_version": "1.2.3", "app_version": "9", "updated": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return helm.Release(name=name, **{**good, **facts})


def names(cluster: Cluster) -> list[str]:
    return [release.name for release in cluster.releases.order_by("name")]


def watched(cluster: Cluster) -> None:
    """The cluster answers and its releases were just listed."""
    Cluster.objects.filter(pk=cluster.pk).update(observed_at=timezone.now())
    ReleaseList.objects.update_or_create(cluster=cluster, defaults={"observed_at": store.now()})


@pytest.mark.parametrize("field", ["status", "chart", "chart_version", "app_version"])
def test_hostile_words_are_cut_to_their_columns(field: str, prod: Cluster) -> None:
    hostile: dict[str, Any] = {field: "\0x\ud800" + "y" * 300}
    store.replace(prod, [seen("bad", **hostile), seen()], store.now())
    assert names(prod) == ["bad", "web"]
    assert getattr(Release.objects.get(name="bad"), field).startswith("x?yyy")


HOSTILE = {
    "a huge revision": {"revision": 2**31},
    "a negative revision": {"revision": -1},
    "a long name": {"name": "x" * 54},
    "a long namespace": {"namespace": "x" * 64},
    "a name with a NUL": {"name": "we\0b"},
}


@pytest.mark.parametrize("facts", HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_stored_is_left_out(facts: dict[str, Any], prod: Cluster) -> None:
    store.replace(prod, [seen(**{"name": "bad", **facts}), seen()], store.now())
    assert names(prod) == ["web"]


def test_a_release_listed_twice_is_one(prod: Cluster) -> None:
    store.replace(prod, [seen(), seen(revision=2)], store.now())
    assert prod.releases.get().revision == 2


def test_a_time_before_all_times_is_no_time() -> None:
    assert replies.when("0001-01-01T00:00:00+05:00").year == 1970


def test_an_older_listing_removes_no_newer_release(prod: Cluster) -> None:
    older = store.now()
    store.replace(prod, [seen("new")], store.now())
    before = prod.releases.get()
    store.replace(prod, [], older)
    store.not_listed(prod, "too late", older)
    assert prod.releases.get() == before
    assert prod.release_list.error == ""
    store.replace(prod, [], store.now())
    assert names(prod) == []


@pytest.mark.django_db(transaction=True)
def test_listings_of_a_cluster_wait_for_each_other(prod: Cluster) -> None:
    watched(prod)
    entered, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[helm.Release]:
        entered.set()
        assert go_on.wait(30)
        yield seen("old")

    def stored(found: Iterable[helm.Release], began: datetime) -> None:
        with contextlib.closing(connection):
            store.replace(prod, found, began)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(stored, slow(), store.now())
        assert entered.wait(30)
        second = threads.submit(stored, [seen("new")], store.now())
        early, _ = wait([second], timeout=0.5)
        go_on.set()
        first.result(), second.result()
    assert not early
    assert names(prod) == ["new"]


def test_sealed_credentials_are_a_reason_and_no_error(prod: Cluster) -> None:
    Cluster.objects.filter(pk=prod.pk).update(sealed_connection=b"\1gone")
    executor.refresh(Cluster.objects.get(pk=prod.pk))
    assert ReleaseList.objects.get().error == executor.SEALED


@pytest.mark.parametrize("error", [ValueError("planted-secret"), helm.HelmFailed("no \0 helm")])
def test_whatever_a_listing_raises_is_a_safe_reason(
    error: Exception, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: helm.Helm) -> list[helm.Release]:
        raise error

    monkeypatch.setattr(helm.Helm, "list", fail)
    executor.refresh(prod)
    assert ReleaseList.objects.get().error in {BROKEN, "no  helm"}


@pytest.mark.django_db(transaction=True)
def test_the_listing_of_a_deleted_cluster_raises_nothing(
    prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm.Helm, "list", lambda _: [seen()])
    gone = Cluster.objects.get(pk=prod.pk)
    prod.delete()
    executor.refresh(gone)
    assert not ReleaseList.objects.exists()


@pytest.mark.parametrize("status", [Status.UNREACHABLE, Status.UNAUTHORIZED])
def test_a_cluster_that_does_not_answer_is_not_listed(
    status: Status, prod: Cluster, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Cluster] = []
    monkeypatch.setattr(executor, "refresh", asked.append)
    tasks.refresh_releases(str(prod.pk))
    assert asked == [prod]
    Cluster.objects.filter(pk=prod.pk).update(status=status, status_reason="no route")
    tasks.refresh_releases(str(prod.pk))
    assert asked == [prod]
    assert prod.releases.get() == release
    assert ReleaseList.objects.get().error == "no route"


@pytest.mark.django_db(transaction=True)
def test_pages_learn_that_listing_fails_and_that_it_works_again(prod: Cluster, told: Told) -> None:
    with told() as messages:
        store.not_listed(prod, "no route", store.now())
        store.not_listed(prod, "no route", store.now())
    whole = {"topic": "releases", "cluster": str(prod.pk), "keys": [["", None]]}
    assert messages == [whole]
    with told() as messages:
        store.replace(prod, [], store.now())
        store.replace(prod, [], store.now())
    assert messages == [whole]


def test_what_was_listed_long_ago_is_not_shown_as_present(
    client: Client, viewer: User, prod: Cluster, release: Release
) -> None:
    client.force_login(viewer)

    def shown() -> set[bool]:
        pages = [client.get(path).content.decode() for path in ("/releases/", detail)]
        return {"data-stale" in page and "status healthy" not in page for page in pages}

    detail = f"/releases/{release.pk}/"
    assert shown() == {True}  # never listed
    watched(prod)
    assert shown() == {False}
    ReleaseList.objects.update(error="no route")
    assert shown() == {True}
    old = timezone.now() - timedelta(minutes=4)
    ReleaseList.objects.update(error="", observed_at=old)
    assert shown() == {True}
    watched(prod)
    Cluster.objects.update(observed_at=old)
    assert shown() == {True}


def test_a_worker_that_starts_removes_what_killed_ones_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swept: list[bool] = []
    monkeypatch.setattr(workspace, "sweep", lambda: swept.append(True))
    started: Any = worker_init
    for receiver in started._live_receivers(None):
        if receiver.__module__ == tasks.__name__:
            receiver(sender=None, signal=started)
    assert swept == [True]
