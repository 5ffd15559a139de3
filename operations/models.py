"""Work as durable rows: what was asked for, how far it is, how it ended, and its log."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clusters import vault
from clusters.models import Cluster, NamespacedRows
from teams.roles import Level


class Status(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ACTIVE = (Status.QUEUED, Status.RUNNING)


# What people call each kind of work; filled as the kinds are registered.
LABELS: dict[str, Promise] = {}


class Operation(NamespacedRows):
    """One piece of work on one cluster. The Celery message only names this row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A key of the registry in `operations.executor`, such as "helm.install".
    kind = models.CharField(max_length=50)
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="operations")
    namespace = models.CharField(max_length=63)
    # The name of what it works on; at most one active operation holds it.
    target = models.CharField(max_length=253)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    error = models.TextField(blank=True)
    # The input, sealed: values of a chart may hold secrets.
    sealed_input = vault.SealedField("operation")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # How far the token reaches by which it was asked for, and which one that was.
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.ADMIN)
    token = models.UUIDField(null=True, editable=False)
    # Counts up with every claim: a worker that lost its claim unnoticed writes nothing more.
    fence = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=100, blank=True)
    cancel_requested = models.BooleanField(default=False)
    result = models.JSONField(default=dict)
    created = models.DateTimeField(auto_now_add=True, db_index=True)
    started = models.DateTimeField(null=True)
    heartbeat = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "namespace", "target"],
                condition=Q(status__in=ACTIVE),
                name="one_active_operation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.cluster}/{self.namespace}/{self.target}"

    @property
    def label(self) -> str:
        """The kind in the reader's language."""
        return str(LABELS.get(self.kind, self.kind))

    @property
    def reason(self) -> str:
        """Why it failed, in the reader's language where that is known."""
        return gettext(self.error) if self.error else ""

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def health(self) -> str:
        """The colour word of the status badge."""
        return {
            Status.RUNNING: "progressing",
            Status.SUCCEEDED: "healthy",
            Status.FAILED: "failing",
        }.get(Status(self.status), "idle")

    def seal(self, plain: bytes) -> None:
        self.sealed_input = vault.seal(plain, f"operation:{self.pk}")

    def unseal(self) -> bytes:
        return vault.unseal(bytes(self.sealed_input), f"operation:{self.pk}")


class LogLine(models.Model):
    """A line of an operation's live log."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField(auto_now_add=True)
    text = models.CharField(max_length=4000)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


def topic(operation_id: Any) -> str:
    """The live topic of one operation."""
    return f"operation:{operation_id}"
