"""How soon credentials and certificates end."""

from datetime import datetime

from django import template
from django.utils import timezone

from clusters.store import standing

register = template.Library()


@register.filter
def expiry_health(ends: datetime) -> str:
    """The colour word: "failing" in the last day and after it, "degraded" in the last month."""
    left = ends - timezone.now()
    if left < standing.URGENT:
        return "failing"
    return "degraded" if left < standing.SOON else "healthy"


@register.filter
def expiry_words(ends: datetime) -> str:
    """ "expires in 9 days" """
    return standing.until(ends)
