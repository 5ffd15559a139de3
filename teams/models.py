"""Who there is: users, teams, what they were granted, and what was done."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractUser, Group
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.roles import Action, Role
from teams.trail import AuditAnchor as AuditAnchor
from teams.trail import AuditEvent as AuditEvent
from teams.trail import AuditForward as AuditForward
from teams.trail import DeniedTry as DeniedTry
from teams.trail import Place, Placed

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

    @property
    def place(self) -> Place:
        """Where the trail says that it stands: its managers read there what was done with it."""
        return Place(scopes=(self,))


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

    @property
    def place(self) -> Place:
        return self.team.place


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

    @property
    def place(self) -> Place:
        """Of interest to who administers the scope and to who manages the team."""
        scope = self.scope
        return (scope.place if isinstance(scope, Placed) else Place()).also(self.team)

    @classmethod
    def on(cls, scope: models.Model) -> "models.QuerySet[Grant]":
        """The grants on this scope itself."""
        kind = ContentType.objects.get_for_model(scope)
        return cls.objects.filter(scope_type=kind, scope_id=str(scope.pk))

    @classmethod
    def running(cls) -> "models.QuerySet[Grant]":
        """The grants whose end has not come."""
        return cls.objects.filter(models.Q(ends=None) | models.Q(ends__gt=timezone.now()))
