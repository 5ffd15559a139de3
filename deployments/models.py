"""Charts that were uploaded and the releases that were seen in the clusters."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster, Freshness, Namespace, NamespacedRows
from teams.access import Held
from teams.roles import Action

# A list of releases that is older is shown as stale; it is made anew every two polls.
LISTED_FOR = max(timedelta(minutes=3), timedelta(seconds=4 * settings.POLL_SECONDS))


class Chart(models.Model):
    """An uploaded chart archive, checked before it was stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=250)
    version = models.CharField(max_length=100)
    app_version = models.CharField(max_length=100, blank=True)
    description = models.TextField(blank=True)
    # sha256 of the archive as it came, in hex.
    digest = models.CharField(max_length=64, unique=True)
    archive = models.BinaryField()
    size = models.PositiveIntegerField()
    values = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-created"]
        verbose_name = _("chart")
        verbose_name_plural = _("charts")

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @classmethod
    def within(cls, held: Held) -> Q:
        """Charts belong to no scope: who may operate anywhere may see and use them all."""
        operates = Held(held.user, Action.OPERATE)
        anywhere = bool(operates.ids(Cluster) or operates.ids(Namespace))
        return Q() if anywhere else Q(pk__in=[])


class Release(NamespacedRows):
    """A Helm release at its newest revision, as it was seen last."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="releases")
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=53)
    revision = models.PositiveIntegerField()
    # Helm's own word: deployed, failed, pending-install, uninstalling …
    status = models.CharField(max_length=30)
    chart = models.CharField(max_length=250)
    chart_version = models.CharField(max_length=100)
    app_version = models.CharField(max_length=100, blank=True)
    updated = models.DateTimeField()
    observed_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "cluster__name", "namespace"]
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        constraints = [
            models.UniqueConstraint(fields=["cluster", "namespace", "name"], name="one_release")
        ]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"

    @property
    def health(self) -> str:
        """The colour word of the status badge."""
        if self.status.startswith("pending-") or self.status == "uninstalling":
            return "progressing"
        return {"deployed": "healthy", "failed": "failing"}.get(self.status, "unknown")

    @property
    def shown_health(self) -> str:
        """The colour word of the badge: what was seen long ago is no present health."""
        listed: ReleaseList | None = getattr(self.cluster, "release_list", None)
        fresh = self.cluster.freshness == Freshness.LIVE and listed is not None and listed.fresh
        return self.health if fresh else "stale"


class ReleaseList(models.Model):
    """When the releases of a cluster were last listed, and why not since."""

    cluster = models.OneToOneField(
        Cluster, on_delete=models.CASCADE, primary_key=True, related_name="release_list"
    )
    # When the stored listing began, by the database's clock.
    observed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"releases of {self.cluster}"

    @property
    def fresh(self) -> bool:
        """Whether it still tells what is in the cluster."""
        seen = self.observed_at
        return not self.error and seen is not None and timezone.now() - seen < LISTED_FOR
