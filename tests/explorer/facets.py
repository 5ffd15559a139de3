"""The drop-downs above a list, as the page has them."""

import html
import re

_SELECT = r'<select name="{}".*?</select>'
_OPTION = re.compile(r'<option value="([^"]+)"[^>]*>[^<]*?(?: \(([\d,]+)\))?</option>')


def counted(page: str, facet: str) -> dict[str, int]:
    """How many rows each choice of a facet says that it has, where it says so."""
    found = re.search(_SELECT.format(facet), page, re.DOTALL)
    assert found is not None, f"no drop-down {facet}"
    return {
        html.unescape(value): int(n.replace(",", "")) for value, n in _OPTION.findall(found[0]) if n
    }
