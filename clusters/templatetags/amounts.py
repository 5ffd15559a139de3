"""Amounts as people read them."""

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

register = template.Library()

STEP = 1024
UNITS = ("MiB", "GiB", "TiB", "PiB")
UNKNOWN = "\N{EN DASH}"


@register.filter
def cores(millicores: int | None) -> str:
    """Millicores as cores: 12.5; small amounts stay exact: 0.05."""
    if millicores is None:
        return UNKNOWN
    count = millicores / 1000
    digits = 0 if count >= 100 or count == int(count) else 1 if count >= 10 else 2
    return number_format(count, digits, force_grouping=True)


@register.filter
def mebibytes(amount: int | None) -> str:
    """MiB in the largest unit that keeps the number above 1: 5.4 TiB."""
    if amount is None:
        return UNKNOWN
    value, unit = float(amount), 0
    while value >= STEP and unit < len(UNITS) - 1:
        value, unit = value / STEP, unit + 1
    digits = 0 if value >= 100 or value == int(value) else 1
    return f"{number_format(value, digits, force_grouping=True)} {UNITS[unit]}"


@register.filter
def percent(share: int | None) -> str:
    """A whole number of per cent, or a dash where it is not known."""
    return UNKNOWN if share is None else _("%(n)d%%") % {"n": share}
