"""What people change in the explorer for themselves and their teams."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from explorer.models import ColumnChoice, SavedView
from teams import audit
from teams.models import User

FIELDS = ("kind", "name", "query")
# Of one person, and of one team.
MOST_VIEWS = 200


@transaction.atomic
def save_view(view: SavedView, *, by: User) -> SavedView:
    """Stores a new or changed view. Raises ValidationError."""
    created, before = view.pk is None, audit.stored(view, *FIELDS)
    view.full_clean()
    if created and _of_the_same(view) >= MOST_VIEWS:
        raise ValidationError(_("There may be at most %(most)d views.") % {"most": MOST_VIEWS})
    view.save()
    after = audit.fields(view, *FIELDS)
    audit.record(by, "view.create" if created else "view.change", view, before=before, after=after)
    return view


def _of_the_same(view: SavedView) -> int:
    return SavedView.objects.filter(owner=view.owner, team=view.team).count()


@transaction.atomic
def delete_view(view: SavedView, *, by: User) -> None:
    audit.record(by, "view.delete", view, before=audit.fields(view, *FIELDS))
    view.delete()


def choose_columns(user: User, kind: str, columns: Sequence[str]) -> None:
    """Keeps which columns a person wants to see; none for the usual ones.

    How a person looks at a list changes nothing for anybody else: it is no line of the trail.
    """
    if columns:
        values = {"columns": list(columns)}
        ColumnChoice.objects.update_or_create(user=user, kind=kind, defaults=values)
    else:
        ColumnChoice.objects.filter(user=user, kind=kind).delete()
