from django.urls import path

from kubectl import api, views

urlpatterns = [
    path("clusters/<uuid:pk>/kubeconfig/", views.kubeconfig, name="cluster-kubeconfig"),
    path(
        "api/v1/clusters/<uuid:pk>/kubeconfig",
        api.ClusterKubeconfig.as_view(),
        name="api-cluster-kubeconfig",
    ),
]
