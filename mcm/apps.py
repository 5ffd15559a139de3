import importlib

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class McmConfig(AppConfig):
    name = "mcm"
    verbose_name = "MCM"

    def ready(self) -> None:
        # Tasks that any process enqueues must find the configured Celery application.
        importlib.import_module("mcm.celery")


class Administration(AdminConfig):
    default_site = "mcm.administration.Site"
