"""What people choose about a kubeconfig."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

# Hours, with their names.
LASTING = {
    1: _("1 hour"),
    8: _("8 hours"),
    24: _("24 hours"),
    24 * 7: _("7 days"),
    24 * 30: _("30 days"),
}
USUAL = 8


class KubeconfigForm(forms.Form):
    hours = forms.TypedChoiceField(
        label=_("Its token lasts"),
        choices=list(LASTING.items()),
        coerce=int,
        initial=USUAL,
        help_text=_("Whoever holds the file may do in the cluster what you may, until then."),
    )

    @property
    def lasts(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])
