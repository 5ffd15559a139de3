from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExplorerConfig(AppConfig):
    name = "explorer"
    verbose_name = _("Explorer")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from explorer import executor as objects
        from explorer.executor.catalog import ACTS, WRITTEN
        from operations import executor

        for act in (*ACTS.values(), *WRITTEN.values()):
            executor.register(act.kind, act.label, objects.run)
