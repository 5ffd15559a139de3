"""The registry of clusters and the slim copy of what was seen in them."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clusters import vault
from clusters.kube.types import Connection
from teams.access import Held
from teams.roles import Action

# A cluster whose last sign of life is older is shown as stale. The watcher probes every 5 s.
LIVE_FOR = timedelta(seconds=15)


class Environment(models.TextChoices):
    DEV = "dev", _("Development")
    STAGING = "staging", _("Staging")
    PROD = "prod", _("Production")


class Status(models.TextChoices):
    """What the last poll or probe of the cluster's API server found."""

    PENDING = "pending", _("Pending")
    ACTIVE = "active", _("Active")
    DEGRADED = "degraded", _("Degraded")
    UNREACHABLE = "unreachable", _("Unreachable")
    UNAUTHORIZED = "unauthorized", _("Unauthorized")


class Freshness(models.TextChoices):
    """How far what is shown of a cluster can be trusted to be its present state."""

    LIVE = "live", _("Live")
    STALE = "stale", _("Stale")
    UNREACHABLE = "unreachable", _("Unreachable")
    UNKNOWN = "unknown", _("Unknown")


class Cluster(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(
        _("name"),
        max_length=63,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z",
                _("Use lower-case letters, digits and dashes; no dash at either end."),
            )
        ],
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment.choices)
    region = models.CharField(_("region"), max_length=63, blank=True)
    server = models.CharField(_("API server"), max_length=500)
    sealed_connection = models.BinaryField()
    # Counts up when the connection is replaced, so that the watcher takes the new one.
    connection_version = models.PositiveIntegerField(default=1)
    system_uid = models.CharField(max_length=64, blank=True)
    version = models.CharField(_("version"), max_length=63, blank=True)
    node_count = models.PositiveIntegerField(_("nodes"), default=0)
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.PENDING)
    status_reason = models.CharField(max_length=500, blank=True)
    status_since = models.DateTimeField(default=timezone.now)
    polled_at = models.DateTimeField(null=True)
    # The last sign of life on the watch: until then the rows are the cluster's state.
    observed_at = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("cluster")
        verbose_name_plural = _("clusters")
        permissions = [
            ("operate_cluster", "Can deploy to and operate the cluster"),
            ("admin_cluster", "Can administer the cluster"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, held: Held) -> Q:
        """Granted clusters; to see, also those of which a namespace is granted."""
        rows = Q(pk__in=held.ids(cls))
        if held.action is Action.VIEW:
            granted = Namespace.objects.filter(pk__in=held.ids(Namespace))
            rows |= Q(pk__in=granted.values("cluster"))
        return rows

    @property
    def connection(self) -> Connection:
        """The opened connection record; it holds credentials, so keep it off every page."""
        return Connection.load(vault.unseal(bytes(self.sealed_connection), f"cluster:{self.pk}"))

    @connection.setter
    def connection(self, connection: Connection) -> None:
        self.sealed_connection = vault.seal(connection.dump(), f"cluster:{self.pk}")
        self.server = connection.server

    @property
    def freshness(self) -> Freshness:
        if self.status in {Status.UNREACHABLE, Status.UNAUTHORIZED}:
            return Freshness.UNREACHABLE
        if self.observed_at is None:
            return Freshness.UNKNOWN
        return Freshness.LIVE if timezone.now() - self.observed_at < LIVE_FOR else Freshness.STALE

    @property
    def reason(self) -> str:
        """Why the status is not active, in the reader's language where that is known."""
        return gettext(self.status_reason) if self.status_reason else ""

    @property
    def health(self) -> str:
        """The colour word of the status badge."""
        if self.status == Status.ACTIVE:
            return "healthy" if self.freshness == Freshness.LIVE else "unknown"
        return {Status.DEGRADED: "degraded", Status.PENDING: "unknown"}.get(
            Status(self.status), "failing"
        )


class Namespace(models.Model):
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="namespaces")
    name = models.CharField(_("name"), max_length=63)

    class Meta:
        ordering = ["cluster", "name"]
        verbose_name = _("namespace")
        verbose_name_plural = _("namespaces")
        constraints = [models.UniqueConstraint(fields=["cluster", "name"], name="one_namespace")]
        permissions = [
            ("operate_namespace", "Can deploy to and operate the namespace"),
            ("admin_namespace", "Can administer the namespace"),
        ]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.name}"

    @classmethod
    def within(cls, held: Held) -> Q:
        return Q(pk__in=held.ids(cls)) | Q(cluster__in=held.ids(Cluster))

    @classmethod
    def existing(cls) -> Q:
        """Those that were seen last: a row outlives its namespace, and keeps its grants."""
        seen = Object.objects.filter(
            kind="Namespace", cluster=OuterRef("cluster"), name=OuterRef("name")
        )
        return Q(Exists(seen))


class NamespacedRows(models.Model):
    """Rows with a cluster and a namespace name: visible with a grant on either."""

    class Meta:
        abstract = True

    @classmethod
    def within(cls, held: Held) -> Q:
        rows = Q(cluster__in=held.ids(Cluster))
        granted = held.ids(Namespace)
        if granted:
            here = Namespace.objects.filter(
                pk__in=granted, cluster=OuterRef("cluster"), name=OuterRef("namespace")
            )
            rows |= Q(Exists(here))
        return rows


class Object(NamespacedRows):
    """The slim row of one Kubernetes object, as the watcher saw it last."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="objects_seen")
    kind = models.CharField(max_length=63)
    # Empty for what stands outside namespaces.
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    uid = models.CharField(max_length=64)
    resource_version = models.BigIntegerField()
    labels = models.JSONField(default=dict)
    owner_kind = models.CharField(max_length=63)
    owner_name = models.CharField(max_length=253)
    images = ArrayField(models.TextField(), default=list)
    # The word that `kubectl get` prints, and what it means.
    status = models.CharField(max_length=100)
    health = models.CharField(max_length=12)
    ready = models.IntegerField()
    wanted = models.IntegerField()
    restarts = models.IntegerField()
    node = models.CharField(max_length=253)
    created = models.DateTimeField()
    observed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "uid"], name="one_object")]
        indexes = [
            models.Index(fields=["kind", "name", "id"], name="object_by_name"),
            models.Index(fields=["kind", "created", "id"], name="object_by_age"),
            models.Index(fields=["cluster", "kind", "namespace"], name="object_by_place"),
            models.Index(fields=["kind", "health"], name="object_by_health"),
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="object_name_trigrams"),
        ]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"

    @property
    def shown_health(self) -> str:
        """The colour word of the badge: what was seen long ago is no present health."""
        return self.health if self.cluster.freshness == Freshness.LIVE else "stale"


class KindState(models.Model):
    """How the watch of one kind of one cluster stands."""

    class State(models.TextChoices):
        LISTING = "listing", _("Listing")
        WATCHING = "watching", _("Watching")
        LOST = "lost", _("Lost")
        FORBIDDEN = "forbidden", _("Not permitted")

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="kinds")
    kind = models.CharField(max_length=63)
    state = models.CharField(max_length=10, choices=State.choices)
    reason = models.CharField(max_length=500, blank=True)
    observed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "kind"], name="one_kind_state")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.cluster}: {self.state}"


class Lease(models.Model):
    """Which watcher holds the cluster. The epoch fences one that has lost it unnoticed."""

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, primary_key=True)
    owner = models.CharField(max_length=100)
    epoch = models.BigIntegerField(default=1)
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cluster} held by {self.owner}"
