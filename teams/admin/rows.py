"""Lists and pages of rows: how they look, how far they count, and which are only looked at."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from teams.models import User

# As far as a list counts and turns pages: who looks for more narrows it.
MOST = 10_000


class BoundedPaginator(Paginator):
    """Counts no further than MOST, so that a list of millions opens as quickly as a short one."""

    template_name = "admin/pagination_bounded.html"

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by()[: MOST + 1].count()

    @property
    def count(self) -> int:
        return min(self._counted, MOST)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than are counted."""
        return self._counted > MOST


class Admin(ModelAdmin):  # type: ignore[misc]  # untyped
    """Rows that may be many: nothing is counted beside what the list shows."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        # What the forms leave out is not read either: archives and sealed inputs are large.
        return rows.defer(*(self.exclude or ()))

    def describe(self, row: Model) -> str:
        return str(row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, ...]:
        """What goes with the rows, by number alone: a team's or a person's rows are many.

        That its own list is read-only keeps nothing: the services delete it.
        """
        found = super().get_deleted_objects(objs, request)
        return [self.describe(row) for row in objs], found[1], set(), found[3]


class ReadOnlyAdmin(Admin):
    """Rows that are looked at here and changed elsewhere, or never."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def acting(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("the admin site lets only users through")
    return request.user
