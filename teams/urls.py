from django.urls import path

from teams.api import teams as api
from teams.views import people, teams

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
    path("api/v1/teams", api.TeamList.as_view(), name="api-teams"),
    path("api/v1/teams/<int:pk>", api.TeamDetail.as_view(), name="api-team"),
    path("api/v1/teams/<int:pk>/members", api.MemberList.as_view(), name="api-members"),
    path(
        "api/v1/teams/<int:pk>/members/<int:person>",
        api.MemberDetail.as_view(),
        name="api-member",
    ),
]
