"""Who there is: users, teams, what they were granted, and what was done."""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.roles import Action, Level, Reach, Role
from teams.trail import AuditAnchor as AuditAnchor
from teams.trail import AuditEvent as AuditEvent
from teams.trail import AuditForward as AuditForward
from teams.trail import DeniedTry as DeniedTry
from teams.trail import Place, Placed
from teams.trail import TranscriptPiece as TranscriptPiece

if TYPE_CHECKING:
    from teams.access import Held


class User(AbstractUser):
    """A person, or a robot: what a team's token acts as, a member of just this team."""

    robot_of = models.ForeignKey(
        "Team", null=True, editable=False, on_delete=models.CASCADE, related_name="robots"
    )
    # By which this caller came in; None: by a session. It narrows what `access` gives.
    token: "Token | None" = None

    class Meta(AbstractUser.Meta):
        constraints = [
            # Whatever a form or a provider of identities says: no robot ever has a password.
            models.CheckConstraint(
                condition=models.Q(robot_of=None)
                | models.Q(("password__startswith", "!"), is_staff=False, is_superuser=False),
                name="robots_never_sign_in",
            )
        ]

    def __str__(self) -> str:
        if self.robot_of_id is None:
            return self.get_username()
        # No form takes a colon in a name, so no person is called like a robot.
        _robot, team, name = self.username.split(":")
        return f"robot {name} of team {team}"

    @staticmethod
    def robot_name(team: "Team", name: str) -> str:
        return f"robot:{team.name}:{name}"

    @property
    def reach(self) -> Reach | None:
        """How far the token reaches by which this caller came in."""
        return self.token.reach if self.token else None

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
        """One sees the teams that one is in, and administers those that one manages.

        Who came in by a token for certain clusters sees nothing beside them.
        """
        if held.action is Action.OPERATE or held.only is not None:
            return models.Q(pk__in=[])
        mine = Membership.objects.filter(user=held.user.pk or 0)
        if held.action is Action.ADMIN:
            mine = mine.filter(is_manager=True)
        return models.Q(pk__in=mine.values("team"))

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


class Token(models.Model):
    """An API token, as knox stores it (a hash of it), and how far it reaches."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=128, unique=True, editable=False)
    # Its first characters, by which it is found.
    token_key = models.CharField(max_length=25, db_index=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="auth_token_set",
        verbose_name=_("owner"),
    )
    # The token by which it was made: with that one it ends.
    made_by = models.ForeignKey(
        "self", null=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    level = models.CharField(_("scope"), max_length=10, choices=Level.choices)
    # Keys of the clusters that it is for; None: of all.
    only = ArrayField(models.UUIDField(), null=True, blank=True, editable=False)
    created = models.DateTimeField(_("created"), auto_now_add=True)
    expiry = models.DateTimeField(_("expires"), null=True, db_index=True)
    # Written at most once a minute.
    last_used = models.DateTimeField(_("last used"), null=True)
    last_address = models.GenericIPAddressField(_("from"), null=True)

    class Meta:
        ordering = ["-created", "pk"]
        verbose_name = _("token")
        verbose_name_plural = _("tokens")

    def __str__(self) -> str:
        return f"{self.name or self.token_key} of {self.user}"

    @classmethod
    def within(cls, held: "Held") -> models.Q:
        """One's own, and those of the robots of teams that one manages."""
        own = models.Q(user=held.user.pk or 0)
        if held.only is not None:
            return own
        mine = Membership.objects.filter(user=held.user.pk or 0, is_manager=True)
        return own | models.Q(user__robot_of__in=mine.values("team"))

    @property
    def reach(self) -> Reach:
        return Reach(Level(self.level), None if self.only is None else frozenset(self.only))

    @property
    def is_over(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()
