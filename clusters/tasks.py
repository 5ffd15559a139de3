"""Polls of the clusters by Celery, and the care for what they stored."""

from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import close_old_connections

from clusters import live, vault
from clusters.collector import report_sealed
from clusters.kube import poll
from clusters.kube.errors import KubeError
from clusters.kube.types import Connection
from clusters.models import Cluster, Status
from clusters.store import polls, retention, usage

# Seconds for all the questions of one poll, and for the one asked of a cluster that was silent:
# half the fleet may hang, and must not take the places of the other half.
DEADLINE = 10.0
KNOCK = 2.0


@shared_task(ignore_result=True)
def poll_clusters() -> None:
    """Asks for a poll of each cluster that is due; what waits longer than a period is dropped."""
    for cluster_id in polls.take_due(settings.POLL_SECONDS):
        poll_cluster.apply_async((str(cluster_id),), expires=settings.POLL_SECONDS)


@shared_task(ignore_result=True)
def poll_cluster(cluster_id: str) -> None:
    cluster = Cluster.objects.filter(pk=cluster_id).first()
    if cluster is None:
        return  # deleted since the message was sent
    try:
        connection = cluster.connection
    except vault.CannotOpen as error:
        report_sealed(cluster.pk, error)
        return
    # There are more places than connections to the database, and this may take long.
    close_old_connections()
    outcome = _ask(connection, was_silent=cluster.status == Status.UNREACHABLE)
    same = {"pk": cluster_id, "connection_version": cluster.connection_version}
    if Cluster.objects.filter(**same).exists():  # neither deleted nor reconnected meanwhile
        _record(cluster.pk, outcome)


def _ask(connection: Connection, *, was_silent: bool) -> poll.Found | KubeError:
    try:
        if was_silent:
            poll.knock(connection, KNOCK)
        return poll.ask(connection, DEADLINE)
    except KubeError as error:
        return error


def _record(cluster_id: UUID, outcome: poll.Found | KubeError) -> None:
    if isinstance(outcome, KubeError):
        changed = polls.record_failure(cluster_id, outcome)
    else:
        changed = polls.record(cluster_id, outcome)
        polls.record_samples(cluster_id, outcome)
        live.publish("usage", cluster_id, [(str(cluster_id), None)])
    if changed:
        live.publish("clusters", cluster_id, [(str(cluster_id), None)])


@shared_task(ignore_result=True)
def sweep_samples() -> None:
    """Keeps what is stored of the past as long as it is promised, and no longer."""
    retention.sweep(usage.now())
