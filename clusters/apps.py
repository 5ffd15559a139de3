from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clusters.kube import policy


class ClustersConfig(AppConfig):
    name = "clusters"
    verbose_name = _("Clusters")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        policy.use(settings.CLUSTER_ADDRESSES)
