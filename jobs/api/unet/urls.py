"""The UNet dialect's addresses."""

from jobs.api.addresses import address, whatever_else_below

from . import views

urlpatterns = [
    address("api/matting/single", views.SingleView.as_view(), name="unet-single"),
    address("api/matting/batch", views.BatchView.as_view(), name="unet-batch"),
    address("api/matting/task/<str:task_id>", views.TaskView.as_view(), name="unet-task"),
    address("api/model/reload", views.ReloadView.as_view(), name="unet-reload"),
    whatever_else_below("api/matting", views.NothingView.as_view(), name="unet-nothing"),
    whatever_else_below("api/model", views.NothingView.as_view(), name="unet-nothing-model"),
]
