"""How MCM's processes log: structured lines on stderr, never a credential in them."""

import sys
from typing import Any

import structlog

from mcm import env

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_LOG_LEVEL = env.one_of("MCM_LOG_LEVEL", "INFO", _LEVELS)
_LOG_FORMAT = env.one_of("MCM_LOG_FORMAT", "console", ("console", "json"))


def _drop_probes(_logger: Any, _method: str, event: Any) -> Any:
    """Balancers and the watchdog ask all the time: their requests would drown the others."""
    if event.get("request") in {"GET /healthz", "GET /readyz", "GET /metrics"}:
        raise structlog.DropEvent
    return event


_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
    *([structlog.processors.format_exc_info] if _LOG_FORMAT == "json" else []),
]
structlog.configure(
    processors=[*_PROCESSORS, _drop_probes, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _PROCESSORS,
            "processor": structlog.processors.JSONRenderer()
            if _LOG_FORMAT == "json"
            else structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The pretty tracebacks print local variables, credentials included.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {
        "handlers": ["stderr"],
        "level": _LOG_LEVEL,
    },
    "loggers": {
        # Their DEBUG lines carry headers and bodies, tokens included.
        "kubernetes": {"level": "INFO"},
        "urllib3": {"level": "INFO"},
        "websockets": {"level": "INFO"},
        "psycopg.pool": {"level": max(_LOG_LEVEL, "WARNING", key=_LEVELS.index)},
    },
}
