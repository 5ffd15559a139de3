"""Who there is: users, teams, what they were granted, and what was done."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractUser, Group
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.roles import Action, Role

if TYPE_CHECKING:
    from teams.access import Held


class User(AbstractUser):
    @property
    def is_platform_admin(self) -> bool:
        """Sees and does everything in MCM; each cluster's own RBAC still has its say."""
        return self.is_active and self.is_superuser


class Team(models.Model):
    name = models.SlugField(_("name"), max_length=50, unique=True)
    # guardian keeps object permissions for groups: one group a team, made and removed with it.
    group = models.OneToOneField(Group, on_delete=models.PROTECT, editable=False)
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        User, through="Membership", related_name="teams", verbose_name=_("members")
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, held: "Held") -> models.Q:
        """One sees the teams that one is in, and operates those that one manages."""
        mine = Membership.objects.filter(user=held.user.pk or 0)
        if held.action is Action.OPERATE:
            mine = mine.filter(is_manager=True)
        return models.Q(pk__in=[] if held.action is Action.ADMIN else mine.values("team"))


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    user = models.ForeignKey(User, on_delete=models.CASCADE, verbose_name=_("user"))
    is_manager = models.BooleanField(_("team manager"), default=False)
    # The identity provider whose groups made it, and alone may end it; empty when made by hand.
    provider = models.CharField(_("identity provider"), max_length=50, blank=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership")]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class GroupMapping(models.Model):
    """Who is in this group of an identity provider is in this team, decided at each sign-in."""

    provider = models.CharField(
        _("identity provider"), max_length=50, help_text=_("Its id in MCM_OIDC_PROVIDERS.")
    )
    group = models.CharField(_("group"), max_length=200)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))

    class Meta:
        ordering = ["provider", "group"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "group", "team"], name="one_mapping")
        ]
        verbose_name = _("group of an identity provider")
        verbose_name_plural = _("groups of identity providers")

    def __str__(self) -> str:
        return f"{self.group} ({self.provider}): {self.team}"


class Grant(models.Model):
    """A team in a role on a scope: a whole cluster, or one namespace of it."""

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="grants", verbose_name=_("team")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    scope_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    scope_id = models.CharField(max_length=36)
    scope = GenericForeignKey("scope_type", "scope_id")
    created = models.DateTimeField(auto_now_add=True)
    # None: until it is revoked.
    ends = models.DateTimeField(_("ends"), null=True, blank=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "role", "scope_type", "scope_id"], name="one_grant"
            )
        ]
        indexes = [models.Index(fields=["scope_type", "scope_id"])]
        verbose_name = _("grant")
        verbose_name_plural = _("grants")

    def __str__(self) -> str:
        return f"{self.team}: {self.get_role_display()} on {self.scope}"

    @classmethod
    def on(cls, scope: models.Model) -> "models.QuerySet[Grant]":
        """The grants on this scope itself."""
        kind = ContentType.objects.get_for_model(scope)
        return cls.objects.filter(scope_type=kind, scope_id=str(scope.pk))


class AuditEvent(models.Model):
    """One line of what was done. Rows are only ever added."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    # The names stay when the user or the object is gone.
    actor_name = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("action"), max_length=50)
    object_type = models.CharField(_("kind"), max_length=50)
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(_("object"), max_length=300)
    detail: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.object_name}"
