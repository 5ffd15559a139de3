from django.urls import path

from deployments import api, views

urlpatterns = [
    path("releases/", views.releases, name="releases"),
    path("releases/install/", views.install, name="release-install"),
    path("releases/<uuid:pk>/", views.detail, name="release-detail"),
    path("releases/<uuid:pk>/uninstall/", views.uninstall, name="release-uninstall"),
    path("api/v1/charts", api.ChartList.as_view(), name="api-charts"),
    path("api/v1/releases", api.ReleaseList.as_view(), name="api-releases"),
    path("api/v1/releases/<uuid:pk>", api.ReleaseDetail.as_view(), name="api-release"),
]
