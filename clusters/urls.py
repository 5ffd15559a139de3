from django.urls import path

from clusters import api, views

urlpatterns = [
    path("", views.fleet, name="fleet"),
    path("clusters/", views.clusters, name="clusters"),
    path("clusters/register/", views.register, name="cluster-register"),
    path("clusters/<uuid:pk>/", views.detail, name="cluster-detail"),
    path("clusters/<uuid:pk>/delete/", views.delete, name="cluster-delete"),
    path("api/v1/clusters", api.ClusterList.as_view(), name="api-clusters"),
    path("api/v1/clusters/<uuid:pk>", api.ClusterDetail.as_view(), name="api-cluster"),
]
