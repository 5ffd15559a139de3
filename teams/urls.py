from django.urls import path

from teams.api import audit as api_audit
from teams.api import teams as api
from teams.views import account, audit, people, signin, teams

urlpatterns = [
    path("teams/", teams.teams, name="teams"),
    path("teams/new/", teams.create, name="team-create"),
    path("teams/<int:pk>/", teams.team, name="team-detail"),
    path("teams/<int:pk>/edit/", teams.edit, name="team-edit"),
    path("teams/<int:pk>/delete/", teams.delete, name="team-delete"),
    path("teams/<int:pk>/members/new/", teams.add_member, name="team-add"),
    path("members/<int:pk>/manager/", teams.set_manager, name="member-manager"),
    path("members/<int:pk>/remove/", teams.remove_member, name="member-remove"),
    path("people/<int:pk>/", people.person, name="person"),
    path("audit/", audit.trail, name="audit"),
    path("audit/newer/", audit.newer, name="audit-newer"),
    path("audit/export.csv", audit.export, {"form": "csv"}, name="audit-csv"),
    path("audit/export.json", audit.export, {"form": "json"}, name="audit-json"),
    path("audit/<int:pk>/", audit.event, name="audit-event"),
    path("audit/<int:pk>/transcript/", audit.transcript, name="audit-transcript"),
    path("audit/<int:pk>/transcript.cast", audit.cast, name="audit-cast"),
    path("api/v1/audit", api_audit.AuditList.as_view(), name="api-audit"),
    path("api/v1/audit/<int:pk>", api_audit.AuditDetail.as_view(), name="api-audit-event"),
    path(
        "api/v1/audit/<int:pk>/transcript",
        api_audit.AuditTranscript.as_view(),
        name="api-audit-transcript",
    ),
    path(
        "api/v1/audit/export.csv", api_audit.AuditExport.as_view(form="csv"), name="api-audit-csv"
    ),
    path(
        "api/v1/audit/export.json",
        api_audit.AuditExport.as_view(form="json"),
        name="api-audit-json",
    ),
    path("people/<int:pk>/second-factor/reset/", account.reset_person, name="person-reset"),
    path("people/<int:pk>/sessions/end/", account.end_person, name="person-sessions-end"),
    path("account/", account.account, name="account"),
    path("account/password/", account.Password.as_view(), name="account_change_password"),
    path("account/second-factor/", account.Activate.as_view(), name="mfa_activate_totp"),
    path("account/second-factor/off/", account.deactivate, name="second-factor-off"),
    path("account/recovery-codes/", account.RecoveryCodes.as_view(), name="recovery-codes"),
    path("account/recovery-codes/new/", account.renew_codes, name="recovery-codes-new"),
    path("account/sessions/end/", account.end_all_sessions, name="sessions-end"),
    path("account/sessions/<int:pk>/end/", account.end_session, name="session-end"),
    path("account/providers/<slug:provider_id>/off/", account.disconnect, name="provider-off"),
    path("confirm/", signin.ConfirmPassword.as_view(), name="account_reauthenticate"),
    path("confirm/code/", signin.ConfirmCode.as_view(), name="mfa_reauthenticate"),
    # The names with underscores are django-allauth's, which looks them up.
    path("login/", signin.SignIn.as_view(), name="login"),
    path("login/", signin.SignIn.as_view(), name="account_login"),
    path("login/code/", signin.Code.as_view(), name="mfa_authenticate"),
    path("login/second-factor/", signin.Enrol.as_view(), name="enrol"),
    path("login/with/<slug:provider_id>/", signin.provider, name="openid_connect_login"),
    path("login/with/<slug:provider_id>/done/", signin.callback, name="openid_connect_callback"),
    path("api/v1/teams", api.TeamList.as_view(), name="api-teams"),
    path("api/v1/teams/<int:pk>", api.TeamDetail.as_view(), name="api-team"),
    path("api/v1/teams/<int:pk>/members", api.MemberList.as_view(), name="api-members"),
    path(
        "api/v1/teams/<int:pk>/members/<int:person>",
        api.MemberDetail.as_view(),
        name="api-member",
    ),
]
