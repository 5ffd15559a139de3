"""How long a page waits before it comes back: longer each time, and no two of them alike."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# Every socket is lost at once; the clock of the page tells when each was tried.
LOST = """
window.tries = [];
window.WebSocket = class extends EventTarget {
  static OPEN = 1;
  readyState = 3;
  constructor() {
    super();
    window.tries.push(Date.now());
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event("close"), { code: 1006 })));
  }
  send() {}
  close() {}
};
"""
CHANCE = "window.chance = 0.9; Math.random = () => window.chance;"
FIRST, MOST = 500, 15_000  # ms
CLOCK = 300  # ms that the clock of the page also goes on by itself


def test_30_a_page_comes_back_after_growing_times_that_chance_decides(
    visit: Callable[..., Page],
) -> None:
    page = visit("/pods/")
    page.clock.install()
    page.add_init_script(LOST + CHANCE)
    page.reload()
    page.clock.run_for(50_000)
    tries = page.evaluate("() => window.tries")
    delays = [after - before for before, after in pairwise(tries)]
    wanted = [0.9 * min(MOST, FIRST * 2**number) for number in range(1, len(delays) + 1)]
    assert len(delays) >= 6
    assert delays == pytest.approx(wanted, abs=CLOCK)
    # Pages that were lost together come apart: chance takes any share of the time.
    page.evaluate("() => { window.chance = 0.1; }")
    page.clock.run_for(20_000)
    later = [after - before for before, after in pairwise(page.evaluate("() => window.tries"))]
    assert later[len(delays) + 1 :] == pytest.approx(
        [0.1 * MOST] * len(later[len(delays) + 1 :]), abs=CLOCK
    )
    assert len(later) > len(delays) + 2
