"""Polls of the clusters by Celery. A message only names the cluster."""

from uuid import UUID

from celery import shared_task

from clusters import live, vault
from clusters.collector import report_sealed
from clusters.kube.client import Client
from clusters.kube.errors import KubeError
from clusters.kube.types import SERVICE_ACCOUNT
from clusters.models import Cluster
from clusters.store import health

# Seconds that one question to one cluster may take.
DEADLINE = 8.0


@shared_task(ignore_result=True)
def poll_clusters() -> None:
    """Asks for a poll of each cluster; a message that waited longer than a period is dropped."""
    for cluster_id in Cluster.objects.values_list("pk", flat=True):
        poll_cluster.apply_async((str(cluster_id),), expires=60)


@shared_task(ignore_result=True, time_limit=45)
def poll_cluster(cluster_id: str) -> None:
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    if cluster is None:
        return  # deleted since the message was sent
    try:
        found = _ask(cluster)
    except vault.CannotOpen as error:
        report_sealed(cluster.pk, error)
        return
    if health.record_poll(cluster.pk, found):
        live.publish("clusters", UUID(cluster_id), [(cluster_id, None)])


def _ask(cluster: Cluster) -> health.Polled | KubeError:
    try:
        with Client(cluster.connection, SERVICE_ACCOUNT, deadline=DEADLINE) as client:
            client.ready()
            return health.Polled(client.version().git_version, len(client.nodes()))
    except KubeError as error:
        return error
