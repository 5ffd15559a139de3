"""Every address of MCM, and what each role gets there."""

from typing import Any, NamedTuple

ROLES = (
    "anonymous", "outsider", "shop_viewer", "shop_operator", "viewer", "operator", "owner", "admin",
)  # fmt: skip
# Reviewed: these are for everybody, or answer for themselves; their own tests are at the end of
# tests/test_permissions.py.
OPEN = {"healthz", "readyz", "metrics", "login", "logout", "set_language", "icon"}
# The steps of signing in; tests/teams/test_signing_in.py and test_providers.py have them.
OPEN |= {"account_login", "mfa_authenticate", "enrol"}
OPEN |= {"openid_connect_login", "openid_connect_callback"}


class Case(NamedTuple):
    """One address and method; `key` names the fixtures in it, `answers` has one status a role."""

    name: str
    method: str
    key: str
    answers: str
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


INSTALL = {"cluster": "prod", "namespace": "shop", "name": "new", "chart": {"upload": "CHART"}}
FORM = {"cluster": "PROD", "namespace": "shop", "name": "new", "chart": "CHART", "timeout": "60"}
BAD, PROD, WEB = {"name": "-"}, {"confirm_name": "prod"}, {"confirm_name": "web"}
MODE = {"identity_mode": "root", "mode": "root"}
MANAGER, YES, UNNAMED = {"manager": "true"}, {"manager": True}, {"name": "a b"}
ON, TOKEN = {"name": "a.example", "on": "true"}, {"name": "x", "scope": "none"}
# 400 and 422: let in, and told what is wrong with what was sent.
LABEL = {"action": "label", "arguments": {"changes": {"a": "b"}}}
MANY = LABEL | {"objects": ["POD"]}
LABELLED = {"ids": "POD", "changes": "a=b", "confirm_name": "web-1"}
#     address            method    key         anon out s_vw s_op view oper own admin
CASES = [
    Case("fleet",             "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("clusters",          "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("cluster-register",  "GET",    "",          "302 403 403 403 403 403 403 200"),
    Case("cluster-register",  "POST",   "",          "302 403 403 403 403 403 403 422", BAD),
    Case("cluster-detail",    "GET",    "prod",      "302 404 200 200 200 200 200 200"),
    Case("cluster-manifest",  "GET",    "",          "302 403 403 403 403 403 403 200"),
    Case("cluster-edit",      "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-edit",      "POST",   "prod",      "302 404 403 403 403 403 422 422", BAD),
    Case("cluster-credentials", "GET",  "prod",      "302 404 403 403 403 403 403 200"),
    Case("cluster-credentials", "POST", "prod",      "302 404 403 403 403 403 403 422", BAD),
    Case("cluster-kinds",     "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-kinds",     "POST",   "prod",      "302 404 403 403 403 403 422 422", ON),
    Case("cluster-identity",  "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-identity-mode", "GET", "prod",     "302 404 403 403 403 403 200 200"),
    Case("cluster-identity-mode", "POST", "prod",    "302 404 403 403 403 403 422 422", MODE),
    Case("cluster-identity-check", "POST", "prod",   "302 404 403 403 403 403 200 200"),
    Case("cluster-kubeconfig", "GET",   "prod",      "302 404 200 200 200 200 200 200"),
    Case("cluster-kubeconfig", "POST",  "prod",      "302 404 422 422 422 422 422 422", BAD),
    Case("cluster-grant",     "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-grant",     "POST",   "prod",      "302 404 403 403 403 403 422 422", BAD),
    Case("grant-revoke",      "GET",    "grant",     "302 404 404 404 403 404 200 200"),
    Case("grant-revoke",      "POST",   "grant",     "302 404 404 404 403 404 302 302"),
    Case("teams",             "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("team-create",       "GET",    "",          "302 403 403 403 403 403 403 200"),
    Case("team-create",       "POST",   "",          "302 403 403 403 403 403 403 422", UNNAMED),
    Case("team-detail",       "GET",    "team",      "302 404 404 404 200 404 404 200"),
    Case("team-edit",         "GET",    "team",      "302 404 404 404 403 404 404 200"),
    Case("team-edit",         "POST",   "team",      "302 404 404 404 403 404 404 422", UNNAMED),
    Case("team-delete",       "GET",    "team",      "302 404 404 404 403 404 404 200"),
    Case("team-delete",       "POST",   "team",      "302 404 404 404 403 404 404 422", BAD),
    Case("team-add",          "GET",    "team",      "302 404 404 404 403 404 404 200"),
    Case("team-add",          "POST",   "team",      "302 404 404 404 403 404 404 422", BAD),
    Case("member-manager",    "POST",   "member",    "302 404 404 404 403 404 404 302", MANAGER),
    Case("member-remove",     "POST",   "member",    "302 404 404 404 403 404 404 302"),
    Case("tokens",            "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("token-create",      "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("token-create",      "POST",   "",          "302 422 422 422 422 422 422 422", TOKEN),
    Case("token-revoke",      "GET",    "token",     "302 404 404 404 200 404 404 200"),
    Case("token-revoke",      "POST",   "token",     "302 404 404 404 302 404 404 302"),
    Case("team-tokens",       "GET",    "team",      "302 404 404 404 403 404 404 200"),
    Case("team-token-create", "GET",    "team",      "302 404 404 404 403 404 404 200"),
    Case("team-token-create", "POST",   "team",      "302 404 404 404 403 404 404 422", TOKEN),
    Case("person",            "GET",    "person",    "302 404 404 404 200 404 404 200"),
    Case("audit",             "GET",    "",          "302 200 403 403 403 403 200 200"),
    Case("audit-newer",       "GET",    "",          "302 404 403 403 403 403 404 404"),
    Case("audit-event",       "GET",    "event",     "302 404 403 403 403 403 200 200"),
    Case("audit-transcript",  "GET",    "shell",     "302 404 403 403 403 403 200 200"),
    Case("audit-cast",        "GET",    "shell",     "302 404 403 403 403 403 200 200"),
    Case("audit-csv",         "GET",    "",          "302 200 403 403 403 403 200 200"),
    Case("audit-json",        "GET",    "",          "302 200 403 403 403 403 200 200"),
    Case("api-audit",         "GET",    "",          "401 200 403 403 403 403 200 200"),
    Case("api-audit-event",   "GET",    "event",     "401 404 403 403 403 403 200 200"),
    Case("api-audit-transcript", "GET", "shell",     "401 404 403 403 403 403 200 200"),
    Case("api-audit-csv",     "GET",    "",          "401 200 403 403 403 403 200 200"),
    Case("api-audit-json",    "GET",    "",          "401 200 403 403 403 403 200 200"),
    Case("person-reset",      "GET",    "person",    "302 404 404 404 403 404 404 200"),
    Case("person-reset",      "POST",   "person",    "302 404 404 404 403 404 404 302"),
    Case("person-sessions-end", "GET",  "person",    "302 404 404 404 403 404 404 200"),
    Case("person-sessions-end", "POST", "person",    "302 404 404 404 403 404 404 302"),
    Case("account",           "GET",    "",          "302 200 200 200 200 200 200 200"),
    # The cast has no passwords, and nobody of it a second factor or a provider.
    Case("account_change_password", "GET", "",       "302 403 403 403 403 403 403 403"),
    Case("account_reauthenticate", "GET", "",        "302 403 403 403 403 403 403 403"),
    Case("mfa_reauthenticate", "GET",   "",          "302 403 403 403 403 403 403 403"),
    Case("mfa_activate_totp", "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("second-factor-off", "GET",    "",          "302 404 404 404 404 404 404 404"),
    Case("second-factor-off", "POST",   "",          "302 404 404 404 404 404 404 404"),
    Case("recovery-codes",    "GET",    "",          "302 404 404 404 404 404 404 404"),
    Case("recovery-codes-new", "GET",   "",          "302 404 404 404 404 404 404 404"),
    Case("recovery-codes-new", "POST",  "",          "302 404 404 404 404 404 404 404"),
    Case("provider-off",      "GET",    "provider",  "302 404 404 404 404 404 404 404"),
    Case("provider-off",      "POST",   "provider",  "302 404 404 404 404 404 404 404"),
    Case("sessions-end",      "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("sessions-end",      "POST",   "",          "302 302 302 302 302 302 302 302"),
    Case("session-end",       "POST",   "session",   "302 404 404 404 302 404 404 404"),
    Case("cluster-delete",    "GET",    "prod",      "302 404 403 403 403 403 200 200"),
    Case("cluster-delete",    "POST",   "prod",      "302 404 403 403 403 403 302 302", PROD),
    Case("api-clusters",      "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-clusters",      "POST",   "",          "401 403 403 403 403 403 403 400", {}),
    Case("api-cluster",       "GET",    "prod",      "401 404 200 200 200 200 200 200"),
    Case("api-cluster",       "PATCH",  "prod",      "401 404 403 403 403 403 200 200", {}),
    Case("api-cluster-manifest", "GET", "",          "401 403 403 403 403 403 403 200"),
    Case("api-cluster",       "DELETE", "prod",      "401 404 403 403 403 403 200 200"),
    Case("api-identity",      "GET",    "prod",      "401 404 403 403 403 403 200 200"),
    Case("api-identity",      "PATCH",  "prod",      "401 404 403 403 403 403 400 400", MODE),
    Case("api-identity-manifest", "GET", "prod",     "401 404 403 403 403 403 200 200"),
    Case("api-identity-check", "POST",  "prod",      "401 404 403 403 403 403 502 502", {}),
    Case("api-cluster-kubeconfig", "POST", "prod",   "401 404 409 409 409 409 409 409", {}),
    Case("api-stats",         "GET",    "prod",      "401 404 200 200 200 200 200 200"),
    Case("api-resources",     "GET",    "prod",      "401 404 502 502 502 502 502 502"),
    Case("api-usage",         "GET",    "prod",      "401 404 403 403 200 200 200 200"),
    Case("api-cluster-grants", "GET",   "prod",      "401 404 200 200 200 200 200 200"),
    Case("api-cluster-grants", "POST",  "prod",      "401 404 403 403 403 403 400 400", {}),
    Case("api-grant-preview", "POST",   "prod",      "401 404 403 403 403 403 400 400", {}),
    Case("api-cluster-people", "GET",   "prod",      "401 404 200 200 200 200 200 200"),
    Case("api-effects",       "GET",    "grant",     "401 404 404 404 403 404 200 200"),
    Case("api-grant",         "DELETE", "grant",     "401 404 404 404 403 404 200 200"),
    Case("api-me",            "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-person",        "GET",    "person",    "401 404 404 404 200 404 404 200"),
    Case("api-teams",         "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-teams",         "POST",   "",          "401 403 403 403 403 403 403 400", UNNAMED),
    Case("api-team",          "GET",    "team",      "401 404 404 404 200 404 404 200"),
    Case("api-team",          "PATCH",  "team",      "401 404 404 404 403 404 404 400", UNNAMED),
    Case("api-team",          "DELETE", "team",      "401 404 404 404 403 404 404 200"),
    Case("api-members",       "GET",    "team",      "401 404 404 404 200 404 404 200"),
    Case("api-members",       "POST",   "team",      "401 404 404 404 403 404 404 400", {}),
    Case("api-member",        "PATCH",  "team mate", "401 404 404 404 403 404 404 200", YES),
    Case("api-member",        "DELETE", "team mate", "401 404 404 404 403 404 404 200"),
    Case("api-team-tokens",   "GET",    "team",      "401 404 404 404 403 404 404 200"),
    Case("api-team-tokens",   "POST",   "team",      "401 404 404 404 403 404 404 400", {}),
    Case("api-tokens",        "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-tokens",        "POST",   "",          "401 400 400 400 400 400 400 400", {}),
    Case("api-token",         "DELETE", "token",     "401 404 404 404 200 404 404 200"),
    Case("pods",              "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("pod-rows",          "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("pod-detail",        "GET",    "pod",       "302 404 200 200 200 200 200 200"),
    Case("objects",           "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("object-rows",       "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("object-list",       "GET",    "kind",      "302 200 200 200 200 200 200 200"),
    Case("object-detail",     "GET",    "pod",       "302 404 200 200 200 200 200 200"),
    Case("object-why",        "GET",    "pod",       "302 404 200 200 200 200 200 200"),
    Case("object-related",    "GET",    "pod",       "302 404 200 200 200 200 200 200"),
    Case("object-yaml",       "GET",    "pod",       "302 404 200 200 200 200 200 200"),
    Case("object-reveal",     "GET",    "secret",    "302 404 403 403 403 403 200 200"),
    Case("object-reveal",     "POST",   "secret",    "302 404 403 403 403 403 200 200"),
    Case("api-object",        "GET",    "pod",       "401 404 200 200 200 200 200 200"),
    Case("api-object-events", "GET",    "pod",       "401 404 200 200 200 200 200 200"),
    Case("api-object-related", "GET",   "pod",       "401 404 200 200 200 200 200 200"),
    # The cluster of the cast is nowhere.
    Case("api-object-why",    "GET",    "pod",       "401 404 502 502 502 502 502 502"),
    Case("api-object-yaml",   "GET",    "pod",       "401 404 502 502 502 502 502 502"),
    Case("api-object-reveal", "POST",   "secret",    "401 404 403 403 403 403 502 502", {}),
    Case("object-columns",    "POST",   "kind",      "302 302 302 302 302 302 302 302", {}),
    Case("object-keys",       "GET",    "kind",      "302 200 200 200 200 200 200 200"),
    Case("object-csv",        "GET",    "kind",      "302 200 200 200 200 200 200 200"),
    Case("api-objects-csv",   "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("object-act",        "GET",    "act",       "302 404 403 200 403 200 200 200", LABELLED),
    Case("object-act",        "POST",   "act",       "302 404 403 302 403 302 302 302", LABELLED),
    # There is nothing to take back; tests/explorer/test_undo.py has what is.
    Case("operation-undo",    "GET",    "operation", "302 404 404 404 404 404 404 404"),
    Case("operation-undo",    "POST",   "operation", "302 404 404 404 404 404 404 404"),
    Case("api-object-actions", "POST",  "pod",       "401 404 403 202 403 202 202 202", LABEL),
    Case("api-actions",       "POST",   "",          "401 400 403 202 403 202 202 202", MANY),
    # Without a choice of pods; tests/explorer/test_logs.py has them with one.
    Case("logs",              "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("log-file",          "GET",    "",          "302 404 404 404 404 404 404 404"),
    Case("api-object-logs",   "GET",    "pod",       "401 404 403 502 403 502 502 502"),
    Case("terminal",          "GET",    "pod",       "302 404 403 200 403 200 200 200"),
    Case("terminal-containers", "GET",  "pod",       "302 404 403 200 403 200 200 200"),
    Case("view-create",       "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("view-create",       "POST",   "",          "302 422 422 422 422 422 422 422", BAD),
    Case("view-edit",         "GET",    "view",      "302 404 404 404 200 404 404 200"),
    Case("view-edit",         "POST",   "view",      "302 404 404 404 422 404 404 422", UNNAMED),
    Case("view-delete",       "GET",    "view",      "302 404 404 404 200 404 404 200"),
    Case("view-delete",       "POST",   "view",      "302 404 404 404 302 404 404 302"),
    Case("api-views",         "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-views",         "POST",   "",          "401 400 400 400 400 400 400 400", {}),
    Case("api-view",          "GET",    "view",      "401 404 404 404 200 404 404 200"),
    Case("api-view",          "PATCH",  "view",      "401 404 404 404 200 404 404 200", {}),
    Case("api-view",          "DELETE", "view",      "401 404 404 404 200 404 404 200"),
    Case("api-objects",       "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-objects-complete", "GET", "",          "401 200 200 200 200 200 200 200"),
    Case("api-search",        "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-schema",        "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-docs",          "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("operations",        "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("operations-recent", "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("operation-detail",  "GET",    "operation", "302 404 200 200 200 200 200 200"),
    Case("operation-cancel",  "POST",   "operation", "302 404 403 302 403 302 302 302"),
    Case("api-operation",     "GET",    "operation", "401 404 200 200 200 200 200 200"),
    Case("api-operation-cancel", "POST", "operation", "401 404 403 202 403 202 202 202"),
    Case("releases",          "GET",    "",          "302 200 200 200 200 200 200 200"),
    Case("release-detail",    "GET",    "release",   "302 404 200 200 200 200 200 200"),
    Case("release-install",   "GET",    "",          "302 200 403 200 403 200 200 200"),
    Case("release-install",   "POST",   "",          "302 422 403 302 403 302 302 302", FORM),
    Case("release-uninstall", "GET",    "release",   "302 404 403 200 403 200 200 200"),
    Case("release-uninstall", "POST",   "release",   "302 404 403 302 403 302 302 302", WEB),
    Case("api-charts",        "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-charts",        "POST",   "",          "401 400 403 400 403 400 400 400", {}),
    Case("api-releases",      "GET",    "",          "401 200 200 200 200 200 200 200"),
    Case("api-releases",      "POST",   "",          "401 400 403 202 403 202 202 202", INSTALL),
    Case("api-release",       "GET",    "release",   "401 404 200 200 200 200 200 200"),
    Case("api-release",       "DELETE", "release",   "401 404 403 202 403 202 202 202"),
]  # fmt: skip
