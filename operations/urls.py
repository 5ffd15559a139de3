from django.urls import path

from operations import api, views

urlpatterns = [
    path("operations/", views.operations, name="operations"),
    path("operations/recent/", views.recent, name="operations-recent"),
    path("operations/<uuid:pk>/", views.detail, name="operation-detail"),
    path("operations/<uuid:pk>/cancel/", views.cancel, name="operation-cancel"),
    path("api/v1/operations/<uuid:pk>", api.OperationDetail.as_view(), name="api-operation"),
    path(
        "api/v1/operations/<uuid:pk>/cancel",
        api.OperationCancel.as_view(),
        name="api-operation-cancel",
    ),
]
