import importlib

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

from mcm import labels


class McmConfig(AppConfig):
    name = "mcm"
    verbose_name = "MCM"

    def ready(self) -> None:
        # Tasks that any process enqueues must find the configured Celery application.
        importlib.import_module("mcm.celery")
        labels.make_translatable()


class Administration(AdminConfig):
    default_site = "mcm.administration.Site"
