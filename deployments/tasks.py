"""Listing the releases of the clusters by Celery."""

from celery import shared_task
from celery.signals import worker_init
from django.utils.translation import gettext_noop

from clusters.models import Cluster, Freshness
from deployments import executor, store
from deployments.helm import workspace

NO_ANSWER = gettext_noop("The cluster does not answer.")


@shared_task(ignore_result=True)
def refresh_all_releases() -> None:
    for cluster_id in Cluster.objects.values_list("pk", flat=True):
        refresh_releases.apply_async((str(cluster_id),), expires=60)


@shared_task(ignore_result=True, time_limit=90)
def refresh_releases(cluster_id: str) -> None:
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    if cluster is None:
        return  # deleted since the message was sent
    if cluster.freshness == Freshness.UNREACHABLE:
        # Helm would find out the same, but only after a minute of the queue's time.
        store.not_listed(cluster, cluster.status_reason or NO_ANSWER, store.now())
    else:
        executor.refresh(cluster)


# Composition, not control flow: Celery tells of a worker's start in no other way.
@worker_init.connect
def sweep_workspaces(**_: object) -> None:
    """Removes the folders, with their kubeconfigs, of workers that were killed."""
    workspace.sweep()
