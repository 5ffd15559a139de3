"""All settings, read from the environment once. README.md has the table of variables."""

import base64
import binascii
from pathlib import Path
from typing import Any

from celery.schedules import schedule
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from mcm import env, logs, terminals, theme, trail
from mcm.rest import *  # noqa: F403 - settings of their own file
from mcm.signin import *  # noqa: F403 - settings of their own file

BASE_DIR = Path(__file__).resolve().parent.parent

# --- people and requests ---------------------------------------------------------------------
DEBUG = env.boolean("MCM_DEBUG", False)
SECRET_KEY = env.text("MCM_SECRET_KEY")
ALLOWED_HOSTS = env.words("MCM_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("MCM_TRUSTED_ORIGINS")
# True where browsers reach MCM by HTTPS: cookies are then sent over nothing else.
HTTPS = env.boolean("MCM_HTTPS", False)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_AGE = env.integer("MCM_SESSION_HOURS", 12, least=1, most=24 * 30) * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
if HTTPS:
    # Browsers take cookies of such names from this very host alone, by HTTPS, for all of its paths.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Set by the balancer in front of MCM; trusted only where the operator says that one is there.
BEHIND_PROXY = env.boolean("MCM_BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

AUTH_USER_MODEL = "teams.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "fleet"
LOGOUT_REDIRECT_URL = "login"
CSRF_FAILURE_VIEW = "teams.views.csrf_failure"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None

# --- the application -------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "mcm.apps.Administration",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "guardian",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "csp",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "template_partials",
    "teams",
    "clusters",
    "operations",
    "explorer",
    "kubectl",
    "deployments",
    "monitoring_app",
    "mcm.apps.McmConfig",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "teams.middleware.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "teams.middleware.ErrorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "teams.middleware.SessionsMiddleware",
    "teams.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "teams.middleware.PrivatePagesMiddleware",
    "teams.middleware.LogMiddleware",
    "teams.middleware.AuditMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "mcm.urls"
ASGI_APPLICATION = "mcm.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "mcm.navigation.navigation",
            ],
        },
    },
]
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("MCM_STATIC_ROOT", str(BASE_DIR / "staticfiles")))
# Served straight from the sources: nothing to collect before a start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"

UNFOLD = theme.UNFOLD

# --- state -----------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {"default": env.database("DATABASE_URL")}
DATABASES["default"]["OPTIONS"] = {
    # One pool a process; who waits longer than the timeout is told 503.
    "pool": {
        "min_size": 1,
        "max_size": env.integer("MCM_DB_POOL", 10, least=2, most=200),
        "timeout": 5,
    },
    # A lock that somebody holds ends a request instead of a worker. The inventory is in memory:
    # a page costs little beside looking at its rows, here and there no more than in a row. As on a
    # disk, a part of a name was looked for in a million rows rather than in its index.
    "options": "-c lock_timeout=4s -c statement_timeout=15s"
    " -c seq_page_cost=0.2 -c random_page_cost=0.2 -c work_mem=16MB -c jit=off",
}

_REDIS = env.url("REDIS_URL", ("redis", "rediss"))
REDIS_URL, REDIS_DATABASE = _REDIS.geturl(), _REDIS.path.strip("/") or "0"
# Counts failed sign-ins and remembers which codes were used, for all web processes together.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"mcm{REDIS_DATABASE}",
        # What is read from there is never unpickled.
        "OPTIONS": {"serializer": "django.core.signing.JSONSerializer"},
    }
}
CHANNEL_LAYERS = {
    "default": {
        # The core layer loses idle consumers under redis-py 8 (django/channels_redis#422).
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": None}],
            "prefix": f"mcm{REDIS_DATABASE}",
            "symmetric_encryption_keys": [SECRET_KEY],
        },
    }
}


def _encryption_keys() -> list[bytes]:
    keys = []
    for item in env.words("MCM_ENCRYPTION_KEYS"):
        try:
            keys.append(base64.urlsafe_b64decode(item))
        except (binascii.Error, ValueError) as error:
            raise ImproperlyConfigured("MCM_ENCRYPTION_KEYS must be urlsafe base64") from error
    if not keys or any(len(key) != 32 for key in keys):
        raise ImproperlyConfigured("MCM_ENCRYPTION_KEYS must name one or more keys of 32 bytes")
    return keys


ENCRYPTION_KEYS = _encryption_keys()
# Where registered clusters may be, beyond public addresses.
CLUSTER_ADDRESSES = env.addresses("MCM_CLUSTER_ADDRESSES")

# --- background work -------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
# Results live in PostgreSQL rows of ours; nothing of a task is left in Redis.
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 4 * 3600, "socket_timeout": 10}
# What takes its time has a queue of its own: ticks must not wait behind it.
CELERY_TASK_DEFAULT_QUEUE = "ticks"
CELERY_TASK_ROUTES = {
    "clusters.tasks.poll_cluster": {"queue": "poll"},
    "deployments.tasks.refresh_releases": {"queue": "releases"},
    "operations.tasks.run_operation": {"queue": "operations"},
    **trail.ROUTES,
}
POLL_SECONDS = env.integer("MCM_POLL_SECONDS", 30, least=1, most=3600)
_POLL_TICK = min(5, POLL_SECONDS)  # at each tick the clusters are polled whose moment has come
CELERY_BEAT_SCHEDULE = {
    "poll-clusters": {
        "task": "clusters.tasks.poll_clusters",
        "schedule": schedule(_POLL_TICK),
        "options": {"expires": _POLL_TICK},
    },
    "sweep-samples": {
        "task": "clusters.tasks.sweep_samples",
        "schedule": schedule(600),
        "options": {"expires": 600},
    },
    "compare-rosters": {
        "task": "clusters.tasks.compare_rosters",
        "schedule": schedule(30),
        "options": {"expires": 30},
    },
    "refresh-releases": {
        "task": "deployments.tasks.refresh_all_releases",
        "schedule": schedule(2 * POLL_SECONDS),
        "options": {"expires": 2 * POLL_SECONDS},
    },
    "end-grants": {
        "task": "teams.tasks.end_grants",
        "schedule": schedule(5),
        "options": {"expires": 5},
    },
    "forget-tokens": {
        "task": "teams.tasks.forget_tokens",
        "schedule": schedule(3600),
        "options": {"expires": 3600},
    },
    "sweep-operations": {
        "task": "operations.tasks.sweep_operations",
        "schedule": schedule(10),
        "options": {"expires": 60},
    },
    **trail.SCHEDULE,
}

# --- kubectl through MCM ---------------------------------------------------------------------
# The HTTPS address under which people reach MCM, and the authority of its certificate where their
# systems do not know it.
PUBLIC_URL = env.https("MCM_PUBLIC_URL")
PUBLIC_CA = env.certificates("MCM_PUBLIC_CA")
KUBECTL_LOG_READS = env.boolean("MCM_KUBECTL_LOG_READS", False)

# Terminals in the browser.
TERMINAL = terminals.TERMINAL

# Where set, /metrics asks for it as a bearer token.
METRICS_TOKEN = env.text("MCM_METRICS_TOKEN", "")

# Where the audit trail goes, and how long it stays.
AUDIT = trail.AUDIT

# --- logs ------------------------------------------------------------------------------------
LOGGING = logs.LOGGING
DJANGO_STRUCTLOG_CELERY_ENABLED = True
