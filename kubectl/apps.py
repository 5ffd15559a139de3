from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KubectlConfig(AppConfig):
    name = "kubectl"
    verbose_name = _("kubectl")
