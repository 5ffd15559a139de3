"""Listing the releases of the clusters by Celery."""

from celery import shared_task

from clusters.models import Cluster
from deployments import executor


@shared_task(ignore_result=True)
def refresh_all_releases() -> None:
    for cluster_id in Cluster.objects.values_list("pk", flat=True):
        refresh_releases.apply_async((str(cluster_id),), expires=60)


@shared_task(ignore_result=True, time_limit=90)
def refresh_releases(cluster_id: str) -> None:
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    if cluster is not None:
        executor.refresh(cluster)
