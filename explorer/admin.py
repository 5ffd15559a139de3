"""What people keep of the explorer, for platform admins to look at."""

from django.contrib import admin

from explorer.models import ColumnChoice, SavedView
from teams.admin import ReadOnlyAdmin


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "owner", "team", "created")
    list_select_related = ("owner", "team")
    search_fields = ("name", "kind")
    date_hierarchy = "created"


@admin.register(ColumnChoice)
class ColumnChoiceAdmin(ReadOnlyAdmin):
    list_display = ("user", "kind")
    list_select_related = ("user",)
    search_fields = ("kind",)
