"""How often the API may be called. Stands alone: DRF loads it while it defines its own views."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


@lru_cache(maxsize=1)
def _redis() -> "redis.Redis":
    # Who does not answer is not asked again: meanwhile the call waits.
    again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    url = settings.REDIS_URL
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=again)


class Throttle(UserRateThrottle):
    """Counts the calls of a user, or of each of his tokens, within each minute, hour or day;
    without Redis nobody is counted.

    DRF itself keeps the time of every call and reads and writes them all at each: at 6,000 a minute
    that alone took more than a list of clusters does.
    """

    num_requests: int
    duration: int
    _left = 0.0

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        token = getattr(request.user, "token", None)
        return f"token:{token.pk}" if token else str(super().get_cache_key(request, view))

    def allow_request(self, request: Request, view: "APIView") -> bool:
        window, past = divmod(self.timer(), self.duration)
        self._left = self.duration - past
        who = self.get_cache_key(request, view)
        key = f"mcm:calls:{settings.REDIS_DATABASE}:{who}:{window:.0f}"
        try:
            with _redis().pipeline(transaction=False) as pipe:
                pipe.set(key, 0, ex=self.duration, nx=True)
                pipe.incr(key)
                calls: int = pipe.execute()[1]
        except redis.RedisError:
            return True
        return calls <= self.num_requests

    def wait(self) -> float:
        """Seconds until calls are counted from none again."""
        return self._left


class Costly(Throttle):
    """Calls that ask a cluster, unpack what somebody sent, or hand out all there is: of a user,
    beside all of his calls.

    A view that has it names its `costly` methods.
    """

    scope = "costly"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        """The person, by whichever token: who makes more of them asks for no more."""
        return str(UserRateThrottle.get_cache_key(self, request, view))

    def allow_request(self, request: Request, view: "APIView") -> bool:
        costly: tuple[str, ...] = view.costly  # type: ignore[attr-defined]
        return request.method not in costly or super().allow_request(request, view)


def too_costly(request: Any) -> float | None:
    """Counts what a page hands out as a costly call of the same person; seconds to wait where that
    was one too many, None where it may go on.
    """
    throttle = Costly()
    # Past the question which methods are: a page has no view of DRF to name them.
    if Throttle.allow_request(throttle, request, cast("APIView", None)):
        return None
    return throttle.wait()


class Strangers(Throttle):
    """Refusals of calls that nobody signed, by their address: what tries tokens is slowed down.

    Whoever has a token that opens is not counted, wherever he calls from.
    """

    scope = "stranger"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        ident = self.get_ident(request)
        return str(self.cache_format % {"scope": self.scope, "ident": ident})
