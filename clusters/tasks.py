"""Polls of the clusters by Celery, and the care for what they stored."""

from celery import shared_task
from django.conf import settings
from django.db import close_old_connections, transaction

from clusters import live, vault
from clusters.collector import report_sealed
from clusters.kube import poll
from clusters.kube.errors import KubeError
from clusters.kube.types import Connection
from clusters.models import Cluster, Status
from clusters.store import identity, polls, retention, usage

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
    _record(cluster, _ask(connection, was_silent=cluster.status == Status.UNREACHABLE))


def _ask(connection: Connection, *, was_silent: bool) -> poll.Found | KubeError:
    try:
        if was_silent:
            poll.knock(connection, KNOCK)
        return poll.ask(connection, DEADLINE)
    except KubeError as error:
        return error


@transaction.atomic
def _record(cluster: Cluster, outcome: poll.Found | KubeError) -> None:
    """Stores it, unless the cluster was deleted or got other credentials since it was asked."""
    same = Cluster.objects.filter(pk=cluster.pk, connection_version=cluster.connection_version)
    # Locked: who deletes it or gives it others waits until this is stored.
    if same.select_for_update(no_key=True).values("pk").first() is None:
        return
    news = [(str(cluster.pk), None)]
    if isinstance(outcome, KubeError):
        changed = polls.record_failure(cluster.pk, outcome)
    else:
        changed = polls.record(cluster.pk, outcome)
        polls.record_samples(cluster.pk, outcome)
        live.publish("usage", cluster.pk, news)
    if changed:
        live.publish("clusters", cluster.pk, news)


@shared_task(ignore_result=True)
def compare_rosters() -> None:
    """Notes which clusters do not know any more who may act there."""
    for cluster_id in identity.compare(identity.checked()):
        live.publish("clusters", cluster_id, [(str(cluster_id), None)])


@shared_task(ignore_result=True)
def sweep_samples() -> None:
    """Keeps what is stored of the past as long as it is promised, and no longer."""
    retention.sweep(usage.now())
