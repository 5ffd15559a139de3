"""Work as durable rows: what was asked for, how far it is, how it ended, and its log."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clusters import vault
from clusters.models import Cluster, NamespacedRows
from teams.access import Held
from teams.roles import Action, Level
from teams.trail import Place


class Status(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ACTIVE = (Status.QUEUED, Status.RUNNING)
HEALTH = {
    Status.RUNNING: "progressing",
    Status.SUCCEEDED: "healthy",
    Status.FAILED: "failing",
}


# What people call each kind of work; filled as the kinds are registered.
LABELS: dict[str, Promise | str] = {}


class Operation(NamespacedRows):
    """One piece of work. The Celery message only names this row.

    What is done to objects has a step for each; where these are in several clusters, the work
    itself is in none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A key of the registry in `operations.executor`, such as "helm.install".
    kind = models.CharField(max_length=50)
    # None only where it has steps, in several clusters.
    cluster: models.ForeignKey[Cluster, Cluster] = models.ForeignKey(  # type: ignore[misc]
        Cluster, null=True, on_delete=models.CASCADE, related_name="operations"
    )
    namespace = models.CharField(max_length=63)
    # The name of what it works on; at most one active operation holds it. Empty for many objects.
    target = models.CharField(max_length=520)
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
    # What the person calls this request: asked again under the same key, it is the same work.
    key = models.CharField(max_length=64, blank=True)
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
                condition=Q(status__in=ACTIVE) & ~Q(target=""),
                name="one_active_operation",
            ),
            models.UniqueConstraint(
                fields=["requested_by", "key"], condition=~Q(key=""), name="one_operation_of_key"
            ),
        ]

    def __str__(self) -> str:
        if not self.target:
            return f"{self.kind} {self.cluster or ''}".rstrip()
        return f"{self.kind} {self.cluster}/{self.namespace}/{self.target}"

    @classmethod
    def within(cls, held: Held) -> Q:
        """By its place. Work on objects is seen by who sees one of them; to do anything with it
        takes the right on all.
        """
        steps = Step.objects.filter(operation=OuterRef("pk"))
        mine = Q(Exists(steps.filter(Step.within(held))))
        if held.action is not Action.VIEW:
            mine &= ~Q(Exists(steps.exclude(Step.within(held))))
        return super().within(held) | mine

    @property
    def place(self) -> Place:
        return super().place if self.cluster_id else Place()

    @property
    def subject(self) -> str:
        """What it works on, in the reader's language."""
        if self.target:
            return self.target
        n = self.steps.count()
        return ngettext("%(n)d object", "%(n)d objects", n) % {"n": n}

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
        return HEALTH.get(Status(self.status), "idle")

    def seal(self, plain: bytes) -> None:
        self.sealed_input = vault.seal(plain, f"operation:{self.pk}")

    def unseal(self) -> bytes:
        return vault.unseal(bytes(self.sealed_input), f"operation:{self.pk}")


class Step(NamespacedRows):
    """What an operation does to one object, and how that ended.

    `words` tell how far it is, why it failed or what was done, with `facts` filled in.
    """

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=253)
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    uid = models.CharField(max_length=64)
    # The right that it takes, and whether on the whole cluster.
    needs = models.CharField(max_length=10, choices=Action.choices, default=Action.OPERATE)
    whole = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    words = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    # So many of so many, where it goes on in parts.
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # `before`, `after`, and `undo`: the act that takes it back, with its arguments.
    result = models.JSONField(default=dict)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        ordering = ["operation", "position"]
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        constraints = [models.UniqueConstraint(fields=["operation", "position"], name="one_step")]

    def __str__(self) -> str:
        return "/".join(filter(None, (str(self.cluster), self.namespace, self.kind, self.name)))

    @property
    def told(self) -> str:
        """How it stands, in the reader's language where that is known."""
        return told(self.words, self.facts)

    @property
    def told_in_english(self) -> str:
        """The same for logs and the trail."""
        with translation.override("en"):
            return self.told

    @property
    def health(self) -> str:
        """The colour word of the status badge."""
        return HEALTH.get(Status(self.status), "idle")

    @property
    def undo(self) -> tuple[str, dict[str, Any]] | None:
        """The act that takes it back, and its arguments."""
        found = self.result.get("undo")
        return (found[0], found[1]) if found and self.status not in ACTIVE else None


class Former(models.Model):
    """What the way back of a step needs and nobody may read: whole objects, sealed."""

    step = models.OneToOneField(
        Step, primary_key=True, on_delete=models.CASCADE, related_name="former"
    )
    sealed = vault.SealedField("former")

    class Meta:
        verbose_name = _("former object")
        verbose_name_plural = _("former objects")

    def __str__(self) -> str:
        return str(self.step)

    def unseal(self) -> bytes:
        return vault.unseal(bytes(self.sealed), f"former:{self.pk}")


def told(words: str, facts: dict[str, Any]) -> str:
    """A sentence with its facts; one of them may be a sentence again."""
    if not facts:
        return gettext(words) if words else ""
    filled = {
        name: told(**fact) if isinstance(fact, dict) else fact for name, fact in facts.items()
    }
    return gettext(words) % filled


class LogLine(models.Model):
    """A line of an operation's live log. What is told of one object is for who sees that."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="lines")
    step = models.ForeignKey(Step, null=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    text = models.CharField(max_length=4000)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


def topic(operation_id: Any) -> str:
    """The live topic of one operation."""
    return f"operation:{operation_id}"
