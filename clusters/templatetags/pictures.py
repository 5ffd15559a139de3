"""Small pictures as SVG: lengths and points are attributes, for which no style is needed.

They are written here and not as templates: a page shows hundreds of them, and an include costs as
much as ten of these.
"""

from collections.abc import Sequence

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clusters.store import changes
from clusters.store.capacity import Share
from clusters.templatetags.amounts import UNKNOWN, percent

register = template.Library()

WIDTH, HEIGHT, MARGIN = 84, 22, 2
# A line that never rises above this share lies flat at the bottom instead of being blown up.
LEAST_TOP = 0.1
IN_DIALOG = SafeString(" data-dialog")


@register.simple_tag
def share_bar(share: Share | None, name: str, whole: bool, metrics: bool | None) -> SafeString:
    """Used over requested of what there is; a dash and the reason where nothing is known.

    `whole`: the person sees the whole cluster; `metrics`: its metrics API answers (None: unasked).
    """
    if share is None or share.requested_percent is None:
        why = _("Not measured yet.") if whole else _("Shown to those who see the whole cluster.")
        return format_html('<span class="muted" title="{}">{}</span>', why, UNKNOWN)
    used = share.used_percent
    state = "" if used is None or used < 80 else " bad" if used >= 90 else " warn"
    return format_html(
        '<span class="bar-cell" title="{}"><svg class="bar" viewBox="0 0 100 6"'
        ' preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-req" width="{}" height="6"></rect>'
        '<rect class="bar-used{}" width="{}" height="6"></rect></svg>'
        '<span class="visually-hidden">{} </span><span class="bar-label">{}</span></span>',
        _share_title(share, metrics), share.requested_width, state, share.used_width, name,
        percent(used),
    )  # fmt: skip


def _share_title(share: Share, metrics: bool | None) -> str:
    if share.used_percent is not None:
        values = {"used": share.used_percent, "asked": share.requested_percent}
        return _("%(used)d %% used, %(asked)d %% requested") % values
    if metrics is False:
        return _("The cluster has no metrics API: only requests are known.")
    return _("Use was not measured in the last minutes.")


@register.simple_tag
def spark(points: Sequence[float | None] | None) -> SafeString:
    """Shares of CPU over 24 h as a line, one polyline for each stretch without a gap."""
    lines = polylines(points or ())
    if not lines:
        return format_html('<span class="muted">{}</span>', UNKNOWN)
    top = round(100 * max(point for point in points or () if point is not None))
    title = _("CPU over 24 hours, at most %(top)d %%") % {"top": top}
    drawn = format_html_join("", '<polyline points="{}"></polyline>', ((line,) for line in lines))
    return format_html(
        '<svg class="spark" viewBox="0 0 84 22" role="img" aria-label="{}">'
        "<title>{}</title>{}</svg>",
        title, title, drawn,
    )  # fmt: skip


def polylines(points: Sequence[float | None]) -> list[str]:
    """The `points` of each stretch without a gap, on a scale that begins at zero."""
    top = max([LEAST_TOP, *(point for point in points if point is not None)])
    step = WIDTH / max(len(points) - 1, 1)
    lines: list[list[tuple[float, float]]] = [[]]
    for n, point in enumerate(points):
        if point is None:
            lines.append([])
        else:
            y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * point / top
            lines[-1].append((n * step, y))
    return [_points(line) for line in lines if line]


def _points(line: list[tuple[float, float]]) -> str:
    if len(line) == 1:  # a line of no length would not be drawn
        [(x, y)] = line
        line = [(x - 1, y), (x + 1, y)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in line)


@register.simple_tag
def act(
    label: str, name: str, icon: str, url: str = "", *, dialog: bool = False, reason: str = ""
) -> SafeString:
    """An act on the cluster `name` as an icon; with a `reason` it is off, and says why."""
    drawn = format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("vendor/icons.svg"), icon,
    )  # fmt: skip
    if reason:
        return format_html(
            '<button type="button" class="icon-btn" aria-disabled="true" title="{}: {}"'
            ' aria-label="{} {} ({})">{}</button>',
            label, reason, label, name, reason, drawn,
        )  # fmt: skip
    return format_html(
        '<a class="icon-btn{}" href="{}"{} title="{}" aria-label="{} {}">{}</a>',
        " danger" if icon == "trash" else "", url, IN_DIALOG if dialog else "",
        label, label, name, drawn,
    )  # fmt: skip


@register.filter
def short_image(image: str) -> str:
    """The image without its registry: "web:1.3"."""
    return changes.short_image(image)
