"""The releases of the clusters as rows, replaced whole by each listing."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from clusters import live
from clusters.models import Cluster
from deployments import helm
from deployments.models import Release, ReleaseList
from teams import access
from teams.access import AnyUser

_FACTS = ("revision", "status", "chart", "chart_version", "app_version", "updated")


def releases(user: AnyUser) -> QuerySet[Release]:
    """Every release that the person may see, with its cluster and when that was listed."""
    return access.visible(user, Release).select_related("cluster", "cluster__release_list")


def search(rows: QuerySet[Release], q: str) -> QuerySet[Release]:
    return rows.filter(Q(name__icontains=q) | Q(chart__icontains=q)) if q else rows


@transaction.atomic
def replace(cluster: Cluster, found: Iterable[helm.Release]) -> None:
    """Makes the rows equal to a whole listing of the cluster, and tells the pages what differs."""
    now = timezone.now()
    old = {(row.namespace, row.name): row for row in cluster.releases.select_for_update()}
    changed: list[live.Key] = []
    kept = []
    for release in found:
        row = old.pop((release.namespace, release.name), None) or Release(
            cluster=cluster, namespace=release.namespace, name=release.name
        )
        facts = {name: getattr(release, name) for name in _FACTS}
        if any(getattr(row, name, None) != value for name, value in facts.items()):
            changed.append((str(row.pk), row.namespace))
        for name, value in facts.items():
            setattr(row, name, value)
        row.observed_at = now
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
    ReleaseList.objects.update_or_create(
        cluster=cluster, defaults={"observed_at": now, "error": ""}
    )
    if changed:
        live.publish("releases", cluster.pk, changed)


def not_listed(cluster: Cluster, error: str) -> None:
    """Keeps the rows, with the reason why they grow old."""
    ReleaseList.objects.update_or_create(cluster=cluster, defaults={"error": error[:500]})
