"""What people keep of the explorer: saved views, and which columns they like to see."""

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.models.seen import LONGEST_KIND
from teams.models import Membership, Team, User
from teams.roles import Action
from teams.trail import Place

if TYPE_CHECKING:
    from teams.access import Held

LONGEST_QUERY = 2000


class SavedView(models.Model):
    """A list with its filter, order and columns under a name: a person's own, or a team's."""

    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="saved_views",
        verbose_name=_("owner"),
    )  # fmt: skip
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="saved_views",
        verbose_name=_("team"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=LONGEST_KIND)
    name = models.CharField(_("name"), max_length=100)
    # As in the address of the list.
    query = models.CharField(_("query"), max_length=LONGEST_QUERY, blank=True)
    created = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(owner=None, team__isnull=False)
                | models.Q(owner__isnull=False, team=None),
                name="view_of_one",
            ),
            models.UniqueConstraint(
                fields=["owner", "kind", "name"],
                name="one_own_view",
                violation_error_message=_("You have a view of this kind with this name."),
            ),
            models.UniqueConstraint(
                fields=["team", "kind", "name"],
                name="one_team_view",
                violation_error_message=_("The team has a view of this kind with this name."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

    @classmethod
    def within(cls, held: "Held") -> models.Q:
        """One's own, and those of one's teams, which their managers change.

        Who came in by a token for certain clusters sees no teams.
        """
        own = models.Q(owner=held.user.pk or 0)
        if held.only is not None:
            return own
        mine = Membership.objects.filter(user=held.user.pk or 0)
        if held.action is not Action.VIEW:
            mine = mine.filter(is_manager=True)
        return own | models.Q(team__in=mine.values("team"))

    @property
    def place(self) -> Place:
        """A team's managers read in the trail what was done with its views."""
        return self.team.place if self.team else Place()


class ColumnChoice(models.Model):
    """The columns that a person chose for the lists of a kind."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="column_choices")
    kind = models.CharField(max_length=LONGEST_KIND)
    columns = ArrayField(models.CharField(max_length=50))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_column_choice")]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"
