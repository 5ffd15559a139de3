"""How much CPU (millicores) and memory (MiB) is used: now, by the minute, by the hour.

A row holds the samples of one series over an hour or a day as arrays: slot n + 1 is minute (or
hour) n, null where nothing was measured; arrays end with the newest sample.
"""

from typing import Literal, get_args

from django.contrib.postgres.fields import ArrayField
from django.db import models

from clusters.models.registry import Cluster

Scope = Literal["cluster", "node", "namespace", "pod"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Capacity(models.Model):
    """What the whole cluster has, has promised and uses, as the last poll found it."""

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, primary_key=True)
    # Null while the metrics API does not answer.
    cpu_used = models.BigIntegerField(null=True)
    memory_used = models.BigIntegerField(null=True)
    # What the pods that are placed and not over request, and what the nodes can give to pods.
    cpu_requested = models.BigIntegerField(default=0)
    memory_requested = models.BigIntegerField(default=0)
    cpu_allocatable = models.BigIntegerField(default=0)
    memory_allocatable = models.BigIntegerField(default=0)
    # Pods that are placed and not over, and how many the nodes take.
    pods = models.PositiveIntegerField(default=0)
    sampled_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"capacity of {self.cluster}"


class Samples(models.Model):
    """What minutes and hours share. The tables are made by hand: see migration 0003."""

    cluster = models.ForeignKey(Cluster, on_delete=models.DO_NOTHING, related_name="+")
    scope = models.CharField(max_length=9)
    # Of a cluster both are empty, of a node the first, of a namespace the second.
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    cpu = ArrayField(models.IntegerField(null=True), size=60)
    memory = ArrayField(models.IntegerField(null=True), size=60)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.scope} {self.namespace}/{self.name} of {self.cluster_id}"


class Usage(Samples):
    """An hour of minutes; the table is divided by days, whole days are dropped."""

    pk = models.CompositePrimaryKey("cluster", "scope", "namespace", "name", "hour")
    hour = models.DateTimeField()


class UsageHour(Samples):
    """A day of hourly averages, of everything but pods."""

    pk = models.CompositePrimaryKey("cluster", "scope", "namespace", "name", "day")
    day = models.DateField()


class PollDue(models.Model):
    """When a cluster is to be polled next."""

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, primary_key=True)
    due = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cluster} at {self.due}"
