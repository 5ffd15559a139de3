"""Who comes with tokens that open nothing, by HTTPS."""

import pytest

from teams.models import User
from teams.throttles import Throttle
from tests.kubectl.conftest import Upstream
from tests.kubectl.front import Front
from tests.kubectl.test_passing import PODS, new_token

pytestmark = pytest.mark.django_db(transaction=True)


async def test_too_many_wrong_tokens_are_told_as_kubernetes_does(
    front: Front, upstream: Upstream, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Throttle, "THROTTLE_RATES", {"user": "100/hour", "stranger": "1/hour"})
    monkeypatch.setattr(Throttle, "timer", lambda _self: 3600 * 710_000 + 600.0)
    first, second = [await front.ask("GET", PODS, "made-up") for _ in range(2)]
    assert first.refusal[:2] == (401, "Unauthorized")
    assert second.refusal[:2] == (429, "TooManyRequests")
    assert second.headers["retry-after"] == "3000"
    assert (await front.ask("GET", PODS, await new_token(viewer))).status == 200
