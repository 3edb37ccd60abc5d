"""The UNet dialect's addresses."""

from django.urls import path

from . import views

urlpatterns = [
    path("api/matting/single", views.SingleView.as_view(), name="unet-single"),
    path("api/matting/batch", views.BatchView.as_view(), name="unet-batch"),
    path("api/matting/task/<str:task_id>", views.TaskView.as_view(), name="unet-task"),
    path("api/model/reload", views.ReloadView.as_view(), name="unet-reload"),
]
