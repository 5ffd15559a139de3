"""What people fill in about clusters."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster, Environment
from clusters.services.registration import LARGEST_KUBECONFIG, Registration


class RegisterForm(forms.ModelForm):
    kubeconfig = forms.CharField(
        label=_("Kubeconfig"),
        required=False,
        strip=False,
        max_length=LARGEST_KUBECONFIG,
        widget=forms.Textarea(attrs={"rows": 9, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "Paste it, or choose the file below. Credentials must stand in it:"
            " kubectl config view --raw --flatten --minify"
        ),
    )
    kubeconfig_file = forms.FileField(label=_("Kubeconfig file"), required=False)
    context = forms.CharField(
        label=_("Context"),
        required=False,
        max_length=253,
        help_text=_("Only where the kubeconfig has several; otherwise its current one is taken."),
    )

    class Meta:
        model = Cluster
        fields = ("name", "environment", "region")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["environment"]
        choice.choices = [("", _("Choose one")), *Environment.choices]  # type: ignore[attr-defined]

    def clean_kubeconfig_file(self) -> str:
        upload = self.cleaned_data.get("kubeconfig_file")
        if upload is None:
            return ""
        if upload.size > LARGEST_KUBECONFIG:
            raise forms.ValidationError(_("The file is larger than 256 KiB."))
        try:
            return str(upload.read().decode())
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The file is not UTF-8 text.")) from error

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and not (data.get("kubeconfig") or data.get("kubeconfig_file")):
            self.add_error("kubeconfig", _("Paste a kubeconfig or choose its file."))
        return data

    @property
    def registration(self) -> Registration:
        """What was filled in. Only after `is_valid()`."""
        data = self.cleaned_data
        return Registration(
            name=data["name"],
            environment=Environment(data["environment"]),
            region=data["region"],
            kubeconfig=data["kubeconfig_file"] or data["kubeconfig"],
            context=data["context"] or None,
        )


class DeleteForm(forms.Form):
    """Deleting asks for the cluster's name, typed."""

    confirm_name = forms.CharField(label=_("Name"), max_length=63)

    def __init__(self, *args: Any, cluster: Cluster, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cluster = cluster

    def clean_confirm_name(self) -> str:
        typed = str(self.cleaned_data["confirm_name"])
        if typed != self.cluster.name:
            raise forms.ValidationError(_("This is not the cluster's name."))
        return typed
