"""Settings of the audit trail: how long it is kept, where a copy goes, whose word counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery.schedules import schedule
from django.core.exceptions import ImproperlyConfigured

from mcm import env
from teams.clients import syslog, webhook

SHORTEST_SECRET = 32


@dataclass(frozen=True)
class AuditSettings:
    """`days` 0: for ever. `syslog` and `webhook` None: no copy goes there."""

    days: int
    syslog: syslog.Server | None
    webhook: webhook.Hook | None
    behind_proxy: bool


def read() -> AuditSettings:
    ca_file = env.text("MCM_AUDIT_CA", "")
    if ca_file and not Path(ca_file).is_file():
        raise ImproperlyConfigured("MCM_AUDIT_CA must name a file of certificates")
    return AuditSettings(
        days=env.integer("MCM_AUDIT_DAYS", 0, most=36_500),
        syslog=_syslog(ca_file),
        webhook=_webhook(ca_file),
        behind_proxy=env.boolean("MCM_BEHIND_PROXY", False),
    )


def _syslog(ca_file: str) -> syslog.Server | None:
    if not env.text("MCM_AUDIT_SYSLOG", ""):
        return None
    parts = env.url("MCM_AUDIT_SYSLOG", tuple(syslog.PORTS))
    if not parts.hostname or parts.path.strip("/") or parts.username:
        raise ImproperlyConfigured("MCM_AUDIT_SYSLOG must be like tls://host:6514")
    port = parts.port or syslog.PORTS[parts.scheme]
    return syslog.Server(parts.scheme, parts.hostname, port, ca_file)


def _webhook(ca_file: str) -> webhook.Hook | None:
    if not env.text("MCM_AUDIT_WEBHOOK", ""):
        return None
    parts = env.url("MCM_AUDIT_WEBHOOK", ("https", "http"))
    if parts.username or not parts.hostname:
        raise ImproperlyConfigured("MCM_AUDIT_WEBHOOK must be like https://host/path")
    secret = env.text("MCM_AUDIT_WEBHOOK_SECRET", "").encode()
    if len(secret) < SHORTEST_SECRET:
        raise ImproperlyConfigured(
            f"MCM_AUDIT_WEBHOOK_SECRET must have at least {SHORTEST_SECRET} characters"
        )
    return webhook.Hook(parts.geturl(), secret, ca_file)


AUDIT = read()
# Targets may be slow to answer, so they are served where tasks wait, not among the ticks.
ROUTES = {"teams.tasks.forward_audit": {"queue": "poll"}}
SCHEDULE: Mapping[str, Mapping[str, Any]] = {
    f"{name}-audit": {
        "task": f"teams.tasks.{name}_audit",
        "schedule": schedule(seconds),
        "options": {"expires": seconds},
    }
    for name, seconds in {
        "seal": 1,
        "sweep": 3600,
        **({"forward": 2} if AUDIT.syslog or AUDIT.webhook else {}),
    }.items()
}
