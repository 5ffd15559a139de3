"""The cells of a row as HTML, by the look of their column.

In Python, for they are rendered by the thousand each second: a template with a choice of looks in
it took 2 ms for each row. What all pages show alike is still one of their components.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.template import loader
from django.utils.formats import localize
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clusters.models import Environment
from clusters.templatetags.amounts import UNKNOWN, cores, mebibytes
from explorer.filters.columns import COLUMNS

# Some 500 bytes each.
MOST_KEPT = 50_000

# In which language, and in which minute: ages are as told then.
Context = tuple[str | None, int]


@lru_cache(maxsize=MOST_KEPT)
def name_cell(key: int, url: str, name: str, _context: Context) -> SafeString:
    """The first cell of a row: it is selected there, and leads to the object."""
    return format_html(
        '<td data-label=""><input type="checkbox" class="pick" value="{}" data-pick'
        ' aria-label="{}" autocomplete="off"><a href="{}" data-drawer class="mono">{}</a></td>',
        key, _("Select %(value)s") % {"value": name}, url, name,
    )  # fmt: skip


# Of a row that changed all cells but one are as before.
@lru_cache(maxsize=MOST_KEPT)
def cell(column: str, value: Any, context: Context) -> SafeString:
    """The cell of this column, which shows `value`."""
    found = COLUMNS[column]
    if value == "":
        inner = escape(UNKNOWN)
    elif found.look in _OF_NODES:
        template = f"explorer/cells/{found.look}.html"
        inner = loader.render_to_string(template, {"column": found, "value": value})
    else:
        inner = _LOOKS[found.look](value, context)
    # A phone shows some of the columns, with their label.
    label = format_html(' data-label="{}"', found.label) if found.card else ""
    css = format_html(' class="{}"', found.css) if found.css else ""
    return format_html("<td{}{}>{}</td>", label, css, inner)


@lru_cache(maxsize=1000)
def _component(name: str, _context: Context, **shown: Any) -> SafeString:
    return loader.render_to_string(f"components/{name}.html", shown)


def _cluster(value: tuple[str, str], context: Context) -> SafeString:
    name, environment = value
    label = Environment(environment).label
    return format_html(
        "{} {}", name, _component("env_tag", context, environment=environment, label=str(label))
    )


def _status(value: tuple[str, str], context: Context) -> SafeString:
    word, health = value
    return _component("status", context, health=health, word=word) if word else escape(UNKNOWN)


def _long(value: Any, _context: Context) -> SafeString:
    return format_html('<span class="truncate" title="{}">{}</span>', value, value)


# Few rows have them.
_OF_NODES = frozenset({"share", "pods", "kubelet"})
_LOOKS: dict[str, Callable[[Any, Context], SafeString]] = {
    "text": lambda value, _context: escape(localize(value)),
    "number": lambda value, _context: escape(localize(value)),
    "cluster": _cluster,
    "status": _status,
    "age": lambda value, context: _component("age", context, when=value),
    "long": _long,
    "lines": lambda value, _context: format_html('<span class="clamp">{}</span>', value),
    "cpu": lambda value, _context: escape(cores(value)),
    "memory": lambda value, _context: escape(mebibytes(value)),
}
