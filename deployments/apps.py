from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeploymentsConfig(AppConfig):
    name = "deployments"
    verbose_name = _("Deployments")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from deployments import executor as helm
        from operations import executor

        executor.register(helm.INSTALL, _("Install"), helm.install, repair=helm.repair_later)
        executor.register(helm.UNINSTALL, _("Uninstall"), helm.uninstall, repair=helm.repair_later)
        executor.register(helm.REPAIR, _("Repair"), helm.repair)
