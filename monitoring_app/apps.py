from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    name = "monitoring_app"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        from monitoring_app import collector

        collector.register()
