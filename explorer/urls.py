from django.urls import path

from explorer import views

urlpatterns = [
    path("pods/", views.pods, name="pods"),
    path("pods/rows/", views.rows, name="pod-rows"),
    path("pods/<int:pk>/", views.pod, name="pod-detail"),
]
