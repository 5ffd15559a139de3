"""The form by which a list is kept as a view."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from explorer.filters.asked import Asked, tidy
from explorer.filters.words import kind_named
from explorer.models import LONGEST_QUERY, SavedView
from teams import access
from teams.models import Team, User
from teams.roles import Action

# Where a list begins is no part of a view.
PLACES = ("after", "cursor", "rows", "of", "kind")


class ViewForm(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """A view of a list: what it shows, its name, and for whom it is."""

    team = forms.ModelChoiceField(
        label=_("For"), queryset=Team.objects.none(), required=False, empty_label=_("Only me")
    )

    class Meta:
        model = SavedView
        fields = ("name", "kind", "query")
        widgets = {"kind": forms.HiddenInput, "query": forms.HiddenInput}

    field_order = ("name", "team", "kind", "query")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        if self.instance.pk:
            del self.fields["team"]  # a view stays whose it is
        else:
            managed = access.visible(user, Team, Action.ADMIN)
            self.fields["team"].queryset = managed  # type: ignore[attr-defined]
        self.fields["query"].max_length = LONGEST_QUERY  # type: ignore[attr-defined]

    def clean_kind(self) -> str:
        kind = kind_named(self.cleaned_data["kind"])
        if kind is None:
            raise forms.ValidationError(_("There is no such kind."))
        if self.instance.pk and kind != self.instance.kind:
            raise forms.ValidationError(_("A view stays one of its kind."))
        return kind

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if "kind" in found and "query" in found:
            found["query"] = self._understood(found["kind"], found["query"])
        return found

    def _understood(self, kind: str, query: str) -> str:
        """The query as the list's address has it."""
        asked = Asked(kind, tidy(QueryDict(query.removeprefix("?")), kind, PLACES))
        for texts in asked.wanted.problems.values():
            self.add_error("query", [str(text) for text in texts])
        return asked.whole.urlencode()

    def _post_clean(self) -> None:
        team = self.cleaned_data.get("team")
        if not self.instance.pk:
            self.instance.team, self.instance.owner = team, None if team else self._user
        super()._post_clean()  # type: ignore[misc]
