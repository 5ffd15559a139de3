"""What people fill in to install and to uninstall."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster
from deployments import helm, services
from deployments.helm import values
from deployments.models import Chart, Release
from teams import access
from teams.models import User

LARGEST_CHART = 10 * 1024 * 1024


class InstallForm(forms.Form):
    """A chart that is there already or one that is uploaded now, and where it goes."""

    cluster = forms.ModelChoiceField(
        label=_("Cluster"), queryset=Cluster.objects.none(), empty_label=_("Choose one")
    )
    namespace = forms.CharField(
        label=_("Namespace"), max_length=63, help_text=_("It is created when it does not exist.")
    )
    name = forms.CharField(label=_("Release name"), max_length=53)
    chart = forms.ModelChoiceField(
        label=_("Chart"),
        queryset=Chart.objects.none(),
        required=False,
        empty_label=_("Upload an archive"),
    )
    archive = forms.FileField(
        label=_("Chart archive"),
        required=False,
        help_text=_("A .tgz file made by helm package."),
        widget=forms.ClearableFileInput(attrs={"accept": ".tgz,.tar.gz,application/gzip"}),
    )
    values = forms.CharField(
        label=_("Values"),
        required=False,
        strip=False,
        max_length=256 * 1024,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("YAML that overrides the chart's own values. Stored encrypted."),
    )
    wait = forms.BooleanField(
        label=_("Wait until its pods are ready"), required=False, initial=True
    )
    timeout = forms.IntegerField(
        label=_("Give up after (seconds)"), min_value=10, max_value=3600, initial=300
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cluster"].queryset = access.visible(user, Cluster)  # type: ignore[attr-defined]
        self.fields["chart"].queryset = access.visible(user, Chart)  # type: ignore[attr-defined]

    def clean_archive(self) -> bytes | None:
        upload = self.cleaned_data.get("archive")
        if upload is None:
            return None
        if upload.size > LARGEST_CHART:
            raise forms.ValidationError(_("The archive is larger than 10 MiB."))
        return bytes(upload.read())

    def clean_values(self) -> str:
        text = str(self.cleaned_data["values"])
        try:
            values.check(text)
        except helm.BadValues as error:
            raise forms.ValidationError(services.explain(error)) from error
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "archive" not in self.errors and not (data.get("chart") or data.get("archive")):
            self.add_error("archive", _("Choose a chart or upload its archive."))
        return data


class UninstallForm(forms.Form):
    """Uninstalling asks for the release's name, typed."""

    confirm_name = forms.CharField(label=_("Name"), max_length=53)
    keep_history = forms.BooleanField(label=_("Keep the history"), required=False)

    def __init__(self, *args: Any, release: Release, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.release = release

    def clean_confirm_name(self) -> str:
        typed = str(self.cleaned_data["confirm_name"])
        if typed != self.release.name:
            raise forms.ValidationError(_("This is not the release's name."))
        return typed
