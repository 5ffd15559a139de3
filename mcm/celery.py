"""The Celery application: `celery -A mcm worker`, `celery -A mcm beat`."""

import os

from celery import Celery
from django_structlog.celery.steps import DjangoStructLogInitStep

from mcm import heartbeat
from mcm.embedded import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcm.settings")
environment.load()

app = Celery("mcm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.steps["consumer"].add(heartbeat.SignOfLife)
app.autodiscover_tasks()
