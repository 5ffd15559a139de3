"""Asking for a poll out of its turn."""

from django.conf import settings
from django.db import transaction

from clusters import tasks
from clusters.models import Cluster
from teams import audit
from teams.models import User


@transaction.atomic
def poll_now(cluster: Cluster, *, by: User) -> None:
    """The cluster is polled as soon as a worker is free; its turn comes as before."""
    audit.record(by, "cluster.poll", cluster)

    def send() -> None:
        # As with every poll: what waits longer than a period would only repeat the next one.
        tasks.poll_cluster.apply_async((str(cluster.pk),), expires=settings.POLL_SECONDS)

    transaction.on_commit(send, robust=True)
