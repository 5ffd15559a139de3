from django.urls import path

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
]
