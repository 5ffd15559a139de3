"""The releases of the clusters as rows, replaced whole by each listing."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from clusters import live
from clusters.models import Cluster
from clusters.store import queries
from deployments import helm
from deployments.models import Release, ReleaseList
from teams import access
from teams.access import Who

_FACTS = ("revision", "status", "chart", "chart_version", "app_version", "updated")
_SHOWN = (
    "namespace", "name", "observed_at", *_FACTS,
    *(f"cluster__{field}" for field in queries.SHOWN),
    "cluster__release_list__observed_at", "cluster__release_list__error",
)  # fmt: skip
_MOST = {"status": 30, "chart": 250, "chart_version": 100, "app_version": 100}

log = logging.getLogger(__name__)


def releases(who: Who) -> QuerySet[Release]:
    """Every release that the person may see, with its cluster and when that was listed."""
    rows = access.visible(who, Release).select_related("cluster", "cluster__release_list")
    return rows.only(*_SHOWN)


def search(rows: QuerySet[Release], q: str) -> QuerySet[Release]:
    return rows.filter(Q(name__icontains=q) | Q(chart__icontains=q)) if q else rows


def now() -> datetime:
    """The database's time, by which listings are put in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


@transaction.atomic
def replace(cluster: Cluster, found: Iterable[helm.Release], began: datetime) -> None:
    """Makes the rows equal to a whole listing of the cluster, and tells the pages what differs.

    `began` is `now()` before the listing. One that began before the stored one is dropped: it does
    not know what was installed since.
    """
    state = _locked(cluster)
    if _overtaken(state, began):
        return
    old = {(row.namespace, row.name): row for row in cluster.releases.select_for_update()}
    changed: list[live.Key] = [(live.WHOLE, None)] if state.error else []
    kept = []
    for (namespace, name), facts in _storable(found).items():
        row = old.pop((namespace, name), None) or Release(
            cluster=cluster, namespace=namespace, name=name
        )
        if any(getattr(row, field, None) != value for field, value in facts.items()):
            changed.append((str(row.pk), row.namespace))
        for field, value in facts.items():
            setattr(row, field, value)
        row.observed_at = began
        kept.append(row)
    Release.objects.bulk_create(
        kept,
        update_conflicts=True,
        unique_fields=["cluster", "namespace", "name"],
        update_fields=[*_FACTS, "observed_at"],
    )
    for row in old.values():
        changed.append((str(row.pk), row.namespace))
        row.delete()
    state.observed_at, state.error = began, ""
    state.save()
    if changed:
        live.publish("releases", cluster.pk, changed)


@transaction.atomic
def not_listed(cluster: Cluster, error: str, began: datetime) -> None:
    """Keeps the rows, with the reason why they grow old; the pages learn of a new reason."""
    state = _locked(cluster)
    error = _cut(error, 500)
    if _overtaken(state, began) or state.error == error:
        return
    state.error = error
    state.save()
    live.publish("releases", cluster.pk, [(live.WHOLE, None)])


def _locked(cluster: Cluster) -> ReleaseList:
    """The row on which the listings of a cluster wait for each other."""
    return ReleaseList.objects.select_for_update().get_or_create(cluster=cluster)[0]


def _overtaken(state: ReleaseList, began: datetime) -> bool:
    return state.observed_at is not None and state.observed_at > began


def _storable(found: Iterable[helm.Release]) -> dict[tuple[str, str], dict[str, Any]]:
    """What of a listing fits the columns: one word too long would stop the whole cluster's."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for release in found:
        place = (release.namespace, release.name)
        if place != (_cut(place[0], 63), _cut(place[1], 53)) or not 0 <= release.revision < 2**31:
            log.warning("a release that no Helm makes was left out: %.80r", place)
            continue
        facts = {name: getattr(release, name) for name in _FACTS}
        rows[place] = facts | {name: _cut(facts[name], most) for name, most in _MOST.items()}
    return rows


def _cut(text: str, most: int) -> str:
    """The text without what PostgreSQL refuses, as long as its column."""
    return text.replace("\0", "").encode(errors="replace").decode()[:most]
