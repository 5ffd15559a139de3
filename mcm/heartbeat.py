"""Signs of life in Redis: `/readyz` and the supervisor read them, workers and watchers write them.

A worker's sign says that it takes messages from its queue, not merely that its process exists:
workers have been seen alive and deaf after a lost connection (celery#10205). Every few seconds it
puts a ping in its own queue and notes when one arrives. A worker whose places are all taken does
not fetch, and counts as alive.
"""

import signal
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import redis
from celery import Task, bootsteps, shared_task
from celery.signals import worker_process_init
from celery.utils.log import get_task_logger
from celery.worker import state
from django.conf import settings

from mcm.embedded import child
from mcm.embedded.programs import QUEUES

WATCHER = "mcm:alive:watcher"
SECONDS = 15
_EVERY = 5

_log = get_task_logger(__name__)


@worker_process_init.connect
def _end_with_worker(**_options: Any) -> None:
    """A killed worker's pool would go on with jobs that count as lost."""
    child.die_with_parent(signal.SIGKILL)


def worker_key(queue: str) -> str:
    return f"mcm:alive:worker:{queue}"


def note_ping(_task: Any, _app: Any, consumer: Any, **_options: Any) -> Callable[..., Any]:
    """Celery's "strategy" of the ping: noted by the consumer itself, never run, never logged."""

    def arrived(_message: Any, _body: Any, ack: Callable[..., Any], *_rest: Any) -> None:
        SignOfLife.heard = time.monotonic()
        ack(_log, consumer.connection_errors)

    return arrived


class Noted(Task[..., None]):
    Strategy = f"{__name__}:note_ping"


@shared_task(name="mcm.ping", base=Noted)
def ping() -> None:
    """Only ever noted on arrival."""


class SignOfLife(bootsteps.StartStopStep):
    """Add to `app.steps["consumer"]`."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    heard = 0.0

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None
        self._store = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
        )

    def start(self, consumer: Any) -> None:
        # Connected and subscribed just now.
        SignOfLife.heard = time.monotonic()
        self._timer = consumer.timer.call_repeatedly(_EVERY, self._tick, (consumer,))
        self._tick(consumer)

    def stop(self, _consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._store.close()

    def _tick(self, consumer: Any) -> None:
        queues = [name for name in QUEUES if name in consumer.app.amqp.queues.consume_from]
        busy = len(state.reserved_requests) >= consumer.pool.num_processes
        if busy or time.monotonic() - SignOfLife.heard < SECONDS:
            self._sign(queues)
        if not busy:
            self._send_pings(consumer.app, queues)

    def _sign(self, queues: list[str]) -> None:
        try:
            for queue in queues:
                self._store.set(worker_key(queue), int(time.time()), ex=SECONDS)
        except redis.RedisError as error:
            _log.warning("no sign of life given: %s", error)

    def _send_pings(self, app: Any, queues: list[str]) -> None:
        for queue in queues:
            headers, properties, body, _ = app.amqp.create_task_message(str(uuid4()), ping.name)
            try:
                with app.producer_pool.acquire(timeout=1) as producer:
                    producer.publish(
                        body, exchange="", routing_key=queue, serializer="json",
                        headers=headers, retry=False, **properties,
                    )  # fmt: skip
            except (OSError, redis.RedisError) as error:
                _log.warning("no ping sent to the queue %s: %s", queue, error)
