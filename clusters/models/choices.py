"""The words in which a cluster and what is known of it are told."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Environment(models.TextChoices):
    DEV = "dev", _("Development")
    STAGING = "staging", _("Staging")
    PROD = "prod", _("Production")


class Status(models.TextChoices):
    """What the last poll or probe of the cluster's API server found."""

    PENDING = "pending", _("Pending")
    ACTIVE = "active", _("Active")
    DEGRADED = "degraded", _("Degraded")
    UNREACHABLE = "unreachable", _("Unreachable")
    UNAUTHORIZED = "unauthorized", _("Unauthorized")


class Freshness(models.TextChoices):
    """How far what is shown of a cluster can be trusted to be its present state."""

    LIVE = "live", _("Live")
    STALE = "stale", _("Stale")
    UNREACHABLE = "unreachable", _("Unreachable")
    UNKNOWN = "unknown", _("Unknown")


class IdentityMode(models.TextChoices):
    """As whom the cluster sees what people do there through MCM."""

    IMPERSONATION = "impersonation", _("As the person")
    SERVICE_ACCOUNT = "service_account", _("As MCM's own account")


class IdentityState(models.TextChoices):
    """How far the cluster knows the people who may act there, as far as MCM knows."""

    UNCHECKED = "unchecked", _("Not checked yet")
    CHANGED = "changed", _("Changed since the check")
    WRONG = "wrong", _("Does not match")
    RIGHT = "right", _("Matches")


class CredentialKind(models.TextChoices):
    """What stands in a stored connection to prove who MCM is."""

    TOKEN = "token", _("Token")
    CERTIFICATE = "certificate", _("Client certificate")
    BOTH = "both", _("Token and client certificate")
