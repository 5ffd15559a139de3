"""The rows of the audit trail: what was done or refused, and what proves that none was changed.

Rows are only added; a trigger of the table refuses everything else. `teams.audit` writes them.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from teams import vault

if TYPE_CHECKING:
    from teams.access import Held


def scope_key(model: type[models.Model], key: Any) -> str:
    """How a row of the trail names a scope, such as "clusters.namespace:12"."""
    return f"{model._meta.label_lower}:{key}"


@dataclass(frozen=True)
class Place:
    """Where an object stands: the names that are shown, and the scopes whose admins may read."""

    cluster: str = ""
    namespace: str = ""
    scopes: tuple[models.Model, ...] = ()
    # Scopes of which only the keys are known, and that may be gone.
    known: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        return [*(scope_key(type(scope), scope.pk) for scope in self.scopes), *self.known]

    def also(self, *scopes: models.Model) -> "Place":
        return Place(self.cluster, self.namespace, (*self.scopes, *scopes), self.known)


@runtime_checkable
class Placed(Protocol):
    """A model whose rows stand somewhere."""

    @property
    def place(self) -> Place: ...


class Result(models.TextChoices):
    # Told before it is done; a second line with the same action and request tells the outcome.
    BEGUN = "begun", _("Begun")
    DONE = "done", _("Done")
    DENIED = "denied", _("Denied")
    FAILED = "failed", _("Failed")


class AuditEvent(models.Model):
    """One line of what was done, refused or failed."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    # The user's key: as the names, it stays when the user is gone.
    actor_id = models.BigIntegerField(null=True, db_index=True)
    actor_name = models.CharField(_("who"), max_length=150)
    # What names the API token that was used; never the token.
    token = models.CharField(_("token"), max_length=150, blank=True)
    via = models.CharField(max_length=10, default="system")
    address = models.GenericIPAddressField(_("address"), null=True)
    user_agent = models.CharField(_("program"), max_length=200, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    action = models.CharField(_("action"), max_length=100)
    result = models.CharField(
        _("result"), max_length=10, choices=Result.choices, default=Result.DONE
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    object_type = models.CharField(_("kind"), max_length=50)
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(_("object"), max_length=300)
    cluster = models.CharField(_("cluster"), max_length=63, blank=True)
    namespace = models.CharField(_("namespace"), max_length=63, blank=True)
    # Who administers one of these may read the row.
    scopes = ArrayField(models.CharField(max_length=100), default=list)
    detail: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    before: "models.JSONField[Any, dict[str, Any] | None]" = models.JSONField(null=True)
    after: "models.JSONField[Any, dict[str, Any] | None]" = models.JSONField(null=True)
    # More than one: equal tries that were refused, told together.
    count = models.PositiveIntegerField(default=1)
    # Its place in the chain, and what binds it there; given when it is sealed.
    seq = models.BigIntegerField(null=True, unique=True)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["actor_name", "-id"], name="audit_actor"),
            models.Index(fields=["action", "-id"], name="audit_action"),
            models.Index(fields=["cluster", "-id"], name="audit_cluster"),
            models.Index(fields=["result", "-id"], name="audit_result"),
            models.Index(
                fields=["request_id", "id"],
                name="audit_request",
                condition=~models.Q(request_id=""),
            ),
            models.Index(fields=["id"], name="audit_unsealed", condition=models.Q(seq=None)),
            GinIndex(fields=["scopes"], name="audit_scopes"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.object_name}"

    @classmethod
    def within(cls, held: "Held") -> models.Q:
        """Only who administers a place, or manages a team, reads what was done there."""
        keys = held.governed
        return models.Q(scopes__overlap=keys) if keys else models.Q(pk__in=[])

    @property
    def place(self) -> Place:
        """Where that was done of which it tells: who reads it there reads what is told of it."""
        return Place(self.cluster, self.namespace, known=tuple(self.scopes))

    @property
    def actor(self) -> AbstractBaseUser | None:
        """Who it was, if he is still there."""
        people = get_user_model()._default_manager
        return None if self.actor_id is None else people.filter(pk=self.actor_id).first()

    @property
    def said(self) -> str:
        """The reason, in the reader's language where that is known."""
        return gettext(self.reason) if self.reason else ""

    @property
    def health(self) -> str:
        """The colour word of the result."""
        colours = {
            Result.BEGUN: "idle",
            Result.DONE: "healthy",
            Result.DENIED: "degraded",
        }
        return colours.get(Result(self.result), "failing")


class TranscriptPiece(models.Model):
    """A part of what a shell showed, written while it ran; `teams.audit.transcripts` has the whole.

    A trigger keeps it as it is until its line is gone; only the key that seals it may change.
    """

    # Of the line and the number, so that no piece can be moved within what is sealed.
    id = models.CharField(primary_key=True, max_length=40)
    # The line that tells the begin; it may be removed before the shell has ended.
    event = models.ForeignKey(
        AuditEvent, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    number = models.PositiveIntegerField()
    at = models.DateTimeField(auto_now_add=True)
    sealed = vault.SealedField("transcript")

    class Meta:
        ordering = ["event_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="one_transcript_piece")
        ]
        verbose_name = _("part of a transcript")
        verbose_name_plural = _("parts of transcripts")

    def __str__(self) -> str:
        return f"{self.event_id}, {self.number}"


class AuditAnchor(models.Model):
    """An end of the chain, signed with a key that the database does not hold.

    "start" is the last row that retention removed, "head" the newest sealed one.
    """

    kind = models.CharField(max_length=10, primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    mac = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.kind} {self.seq}:{self.hash}"


class DeniedTry(models.Model):
    """Equal tries of one person that were refused within a minute, counted until it is over."""

    key = models.CharField(max_length=64, primary_key=True)
    actor_id = models.BigIntegerField(db_index=True)
    event = models.ForeignKey(
        AuditEvent, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    until = models.DateTimeField(db_index=True)
    again = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.event_id}: {self.again} more"


class AuditForward(models.Model):
    """How far the trail was sent to a target; what follows is sent until it is taken."""

    target = models.CharField(max_length=10, primary_key=True)
    seq = models.BigIntegerField(default=0)
    # Another worker sends until then.
    claimed_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.target} {self.seq}"


@dataclass(frozen=True)
class Named:
    """An object of the trail that is no row of a model, such as an address of MCM."""

    type: str
    id: str
    name: str
    place: Place = field(default_factory=Place)
