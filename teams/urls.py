from django.urls import path

from teams.api import audit as api
from teams.views import audit, people, teams

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
    path("api/v1/audit", api.AuditList.as_view(), name="api-audit"),
    path("api/v1/audit/<int:pk>", api.AuditDetail.as_view(), name="api-audit-event"),
    path("api/v1/audit/export.csv", api.AuditExport.as_view(form="csv"), name="api-audit-csv"),
    path("api/v1/audit/export.json", api.AuditExport.as_view(form="json"), name="api-audit-json"),
]
