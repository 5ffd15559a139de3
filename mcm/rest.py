"""Settings of the API: who calls it, how often, and the schema.

README.md has the table of variables.
"""

from mcm import env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "teams.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["teams.throttles.Throttle"],
    "DEFAULT_THROTTLE_RATES": {
        "user": env.text("MCM_API_RATE", "6000/min"),
        "stranger": env.text("MCM_STRANGER_RATE", "120/min"),
        "costly": env.text("MCM_COSTLY_RATE", "60/min"),
    },
    # Whose address counts: what a caller says of himself in X-Forwarded-For does not.
    "NUM_PROXIES": int(env.boolean("MCM_BEHIND_PROXY", False)),
    "EXCEPTION_HANDLER": "teams.api.error_answer",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MCM",
    "DESCRIPTION": "Many Kubernetes clusters from one place. See docs/api.md.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mcm.openapi.errors",
    ],
    # The same choices under several names of fields.
    "ENUM_NAME_OVERRIDES": {
        "ActionEnum": "teams.roles.Action",
        "IdentityModeEnum": "clusters.models.choices.IdentityMode",
        "ObjectActionEnum": "explorer.executor.catalog.NAMES",
        "OperationStatusEnum": "operations.models.Status",
        "TokenScopeEnum": "teams.roles.Level",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
KNOX_TOKEN_MODEL = "teams.Token"  # noqa: S105 - a model
# By the prefix scanners of secrets know what they found.
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "mcm_"}
# How long an API token may last.
TOKEN_DAYS = env.integer("MCM_TOKEN_DAYS", 365, least=1, most=3650)
