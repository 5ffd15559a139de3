"""Which watcher holds which cluster."""

from django.db import models

from clusters.models.registry import Cluster


class Lease(models.Model):
    """Which watcher holds the cluster. The epoch fences one that has lost it unnoticed."""

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, primary_key=True)
    owner = models.CharField(max_length=100)
    epoch = models.BigIntegerField(default=1)
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cluster} held by {self.owner}"


class Watcher(models.Model):
    """A watcher process that lives, so that each knows what its fair share of the clusters is."""

    owner = models.CharField(max_length=100, primary_key=True)
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return self.owner
