"""The registry of clusters: who they are, how they are reached and how they stand."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clusters import vault
from clusters.kube import errors
from clusters.kube.types import Connection
from clusters.models.among import among
from clusters.models.choices import (
    CredentialKind,
    Environment,
    Freshness,
    IdentityMode,
    IdentityState,
    Status,
)
from teams.access import Held
from teams.roles import Action
from teams.trail import Place

# A cluster whose last sign of life is older is shown as stale. The watcher probes every 5 s.
LIVE_FOR = timedelta(seconds=15)


class AsSeen:
    """How a cluster stands, told by what was last seen of it."""

    status: str
    status_reason: str
    observed_at: datetime | None

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
        words, facts = errors.taken_apart(self.status_reason)
        return gettext(words) % facts if facts else gettext(words)


class Cluster(AsSeen, models.Model):
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
    sealed_connection = vault.SealedField("cluster")
    # Counts up when the connection is replaced, so that the watcher takes the new one.
    connection_version = models.PositiveIntegerField(default=1)
    system_uid = models.CharField(max_length=64, blank=True)
    version = models.CharField(_("version"), max_length=63, blank=True)
    node_count = models.PositiveIntegerField(_("nodes"), default=0)
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.PENDING)
    status_reason = models.CharField(max_length=500, blank=True)
    status_since = models.DateTimeField(default=timezone.now)
    polled_at = models.DateTimeField(null=True)
    # Milliseconds that the last poll's /readyz took; None while it did not answer.
    latency_ms = models.PositiveIntegerField(_("latency"), null=True)
    # What the stored credentials are (a key of CredentialKind) and when the first of them ends.
    credential_kind = models.CharField(max_length=15, choices=CredentialKind.choices, blank=True)
    credential_expires = models.DateTimeField(_("credentials expire"), null=True)
    # Until when the API server's own certificate is good.
    certificate_expires = models.DateTimeField(null=True)
    # What MCM's account may do there, as the last check found it: see kube.rights.Rights.
    rights = models.JSONField(default=dict)
    identity_mode = models.CharField(
        _("identity"),
        max_length=15,
        choices=IdentityMode.choices,
        default=IdentityMode.IMPERSONATION,
    )
    # Whether the identity manifest binds platform admins to cluster-admin.
    binds_platform_admins = models.BooleanField(default=True)
    # What the last check of the identity manifest found: see kube.identity_check.Report.
    identity_report = models.JSONField(default=dict)
    # Whether that was all right; None while nobody has checked.
    identity_fits = models.BooleanField(null=True)
    # The digest of the manifest that was checked.
    identity_digest = models.CharField(max_length=64, blank=True)
    # Since when the roster asks for another manifest than the one that was checked.
    identity_changed_at = models.DateTimeField(null=True)
    # Whether the metrics API answered last; None while nobody has asked.
    has_metrics = models.BooleanField(null=True)
    metrics_reason = models.CharField(max_length=500, blank=True)
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

    def get_absolute_url(self) -> str:
        return reverse("cluster-detail", args=[self.pk])

    @classmethod
    def within(cls, held: Held) -> Q:
        """Granted clusters; to see, also those of which a namespace is granted."""
        keys = held.ids(cls)
        if held.action is Action.VIEW:
            keys = keys.union(*held.once(_granted_names).values())
        return among("pk", keys)

    @classmethod
    def inside(cls, clusters: Collection[uuid.UUID]) -> Q:
        return among("pk", clusters)

    @property
    def place(self) -> Place:
        """Where the audit trail says that it stands."""
        return Place(self.name, scopes=(self,))

    @property
    def connection(self) -> Connection:
        """The opened connection record; it holds credentials, so keep it off every page."""
        return Connection.load(vault.unseal(bytes(self.sealed_connection), f"cluster:{self.pk}"))

    @connection.setter
    def connection(self, connection: Connection) -> None:
        self.sealed_connection = vault.seal(connection.dump(), f"cluster:{self.pk}")
        self.server = connection.server

    @property
    def impersonates(self) -> bool:
        """Whether people act there under their own names."""
        return self.identity_mode == IdentityMode.IMPERSONATION

    @property
    def identity_state(self) -> IdentityState:
        """How the cluster stood to the roster when it was last looked at."""
        if self.identity_fits is None:
            return IdentityState.UNCHECKED
        if self.identity_changed_at is not None:
            return IdentityState.CHANGED
        return IdentityState.RIGHT if self.identity_fits else IdentityState.WRONG

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
    # Another uid under the same name is another namespace: the grants on this one end with it.
    uid = models.CharField(max_length=64, blank=True)

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

    def get_absolute_url(self) -> str:
        """A namespace has no page of its own: who can do what there stands on its cluster's."""
        return f"{self.cluster.get_absolute_url()}?tab=people&q={self.name}"

    @property
    def place(self) -> Place:
        return Place(self.cluster.name, self.name, (self.cluster, self))

    @classmethod
    def within(cls, held: Held) -> Q:
        return Q(pk__in=held.ids(cls)) | among("cluster", held.ids(Cluster))

    @classmethod
    def inside(cls, clusters: Collection[uuid.UUID]) -> Q:
        return among("cluster", clusters)

    @classmethod
    def existing(cls) -> Q:
        """Those that were seen last: a row outlives its namespace, and keeps its grants."""
        rows = apps.get_model("clusters", "Object")._default_manager
        seen = rows.filter(kind="Namespace", cluster=OuterRef("cluster"), name=OuterRef("name"))
        return Q(Exists(seen))


class NamespacedRows(models.Model):
    """Rows with a cluster and a namespace name: visible with a grant on either."""

    class Meta:
        abstract = True

    if TYPE_CHECKING:
        cluster: models.ForeignKey[Cluster, Cluster]
        namespace: models.CharField[str, str]

    @classmethod
    def within(cls, held: Held) -> Q:
        rows = among("cluster", held.ids(Cluster))
        # Spelled out, since each of these is found by an index, and a subquery beside an OR is not.
        for names, clusters in held.once(_granted_names).items():
            rows |= among("cluster", clusters) & Q(namespace__in=names)
        return rows

    @property
    def place(self) -> Place:
        """Where the audit trail says that it stands."""
        spaces = self.cluster.namespaces.filter(name=self.namespace)
        return Place(self.cluster.name, self.namespace, (self.cluster, *spaces))


def _granted_names(held: Held) -> dict[frozenset[str], list[uuid.UUID]]:
    """The namespaces granted beside whole clusters: which names are granted on which clusters."""
    if not held.ids(Namespace):
        return {}
    names: dict[uuid.UUID, set[str]] = defaultdict(set)
    rows = Namespace.objects.filter(pk__in=held.ids(Namespace))
    rows = rows.exclude(cluster__in=held.ids(Cluster))
    for cluster, name in rows.values_list("cluster", "name"):
        names[cluster].add(name)
    clusters: dict[frozenset[str], list[uuid.UUID]] = defaultdict(list)
    for cluster, granted in names.items():
        clusters[frozenset(granted)].append(cluster)
    return clusters
