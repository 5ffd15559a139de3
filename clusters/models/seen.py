"""The slim copy of what was seen in the clusters."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.models.choices import Freshness
from clusters.models.registry import Cluster, NamespacedRows

LONGEST_KIND = 253


class ImagesText(models.Func):
    """An object's images as one text, in which a part of them can be looked for row by row."""

    # Ours, by migration.
    function = "clusters_images_text"
    output_field = models.TextField()


class Object(NamespacedRows):
    """The slim row of one Kubernetes object, as the watcher saw it last."""

    # `one_object` begins with the cluster: an index of its own would only cost.
    cluster = models.ForeignKey(
        Cluster, on_delete=models.CASCADE, related_name="objects_seen", db_index=False
    )
    # "Pod"; of custom resources with the group, as kubectl does: "Certificate.cert-manager.io".
    kind = models.CharField(max_length=LONGEST_KIND)
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
    # Millicores and MiB: what a pod requests, what a node can give to pods; otherwise 0.
    cpu = models.BigIntegerField(default=0)
    memory = models.BigIntegerField(default=0)
    created = models.DateTimeField()
    # Since when the status is what it is, as far as the object or the watch knows.
    since = models.DateTimeField(default=timezone.now)
    # What only this kind has, as short texts: see kube.project.
    facts = models.JSONField(default=dict)
    observed_at = models.DateTimeField()

    class Meta:
        # With the kind: a release of Helm's is also a Secret.
        constraints = [
            models.UniqueConstraint(fields=["cluster", "kind", "uid"], name="one_object")
        ]
        # A change of status writes into every index, so each must be worth its 3 to 15 µs.
        indexes = [
            # The order of a list, each: the inventory walks along them, page by page.
            models.Index(
                fields=["kind", "name", "id"],
                # By name is how most lists are read: their filters look at the index alone.
                include=["cluster", "namespace", "health", "status"],
                name="object_by_name",
            ),
            models.Index(fields=["kind", "created", "id"], name="object_by_age"),
            # With the key: who reads one namespace of many clusters looks at the index alone.
            models.Index(
                fields=["cluster", "kind", "namespace", "name"],
                include=["id"],
                name="object_by_place",
            ),
            # Health and status, as a filter and as an order; by name within each.
            models.Index(fields=["kind", "health", "status", "name", "id"], name="object_by_state"),
            # The newest troubles, for what needs a person; few rows have any.
            models.Index(
                fields=["kind", "health", "since"],
                condition=~models.Q(health="healthy") & ~models.Q(health="idle"),
                name="object_by_trouble",
            ),
            # Workloads that nothing owns: few rows.
            models.Index(
                fields=["kind", "name", "id"],
                condition=models.Q(kind__in=("Pod", "ReplicaSet"), owner_name=""),
                name="object_unowned",
            ),
            models.Index(fields=["kind", "restarts", "id"], name="object_by_restarts"),
            models.Index(fields=["kind", "node", "id"], name="object_by_node"),
            # Also by how the name begins: a ReplicaSet carries its Deployment's name and a hash.
            models.Index(
                fields=["owner_name"], name="object_by_owner", opclasses=["varchar_pattern_ops"]
            ),
            # A part of a name.
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="object_name_trigrams"),
            GinIndex(OpClass("labels", "jsonb_path_ops"), name="object_labels"),
            # Whole images: `Image` knows which have a part. Trigrams of each row cost 90 µs more.
            GinIndex(fields=["images"], name="object_images"),
        ]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"

    @property
    def shown_health(self) -> str:
        """The colour word of the badge: what was seen long ago is no present health."""
        return self.health if self.cluster.freshness == Freshness.LIVE else "stale"


class Image(models.Model):
    """An image that objects have, or had lately: few, where objects are many.

    The database adds it with the object; `store.images.sweep` removes it when none has it.
    """

    name = models.TextField(primary_key=True)

    def __str__(self) -> str:
        return self.name


class KindState(models.Model):
    """How the watch of one kind of one cluster stands."""

    class State(models.TextChoices):
        LISTING = "listing", _("Listing")
        WATCHING = "watching", _("Watching")
        LOST = "lost", _("Lost")
        FORBIDDEN = "forbidden", _("Not permitted")
        ABSENT = "absent", _("Not available")

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="kinds")
    kind = models.CharField(max_length=LONGEST_KIND)
    state = models.CharField(max_length=10, choices=State.choices)
    reason = models.CharField(max_length=500, blank=True)
    # Until when what is stored was the cluster's state; while the state is WATCHING that is the
    # cluster's own `observed_at`.
    observed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "kind"], name="one_kind_state")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.cluster}: {self.state}"


class Tally(NamespacedRows):
    """How many objects of a kind stand how, kept by the database itself with every change of them.

    Counting a million rows takes a fifth of a second, adding up these a few milliseconds.
    """

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="tallies")
    kind = models.CharField(max_length=LONGEST_KIND)
    namespace = models.CharField(max_length=63)
    status = models.CharField(max_length=100)
    health = models.CharField(max_length=12)
    n = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "kind", "namespace", "status", "health"], name="one_tally"
            )
        ]
        indexes = [models.Index(fields=["kind", "cluster", "namespace"], name="tally_by_kind")]

    def __str__(self) -> str:
        return f"{self.n} {self.kind} {self.status} in {self.cluster}/{self.namespace}"


class CustomResource(models.Model):
    """A custom resource that an admin has turned on for one cluster."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="custom_resources")
    group = models.CharField(max_length=253)
    version = models.CharField(max_length=63)
    plural = models.CharField(max_length=63)
    kind = models.CharField(max_length=63)
    namespaced = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "group", "plural"], name="one_resource")
        ]

    def __str__(self) -> str:
        return f"{self.plural}.{self.group} of {self.cluster}"

    @property
    def full_kind(self) -> str:
        """As objects of it are stored: "Certificate.cert-manager.io"."""
        return f"{self.kind}.{self.group}"
