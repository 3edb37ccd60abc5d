"""URL patterns of the UNet matting API (an emulated vendor API)."""

from jobs.api.routes import catch_all, route

from . import views

urlpatterns = [
    route("api/matting/single", views.SingleView.as_view(), name="unet-single"),
    route("api/matting/batch", views.BatchView.as_view(), name="unet-batch"),
    route("api/matting/task/<str:task_id>", views.TaskView.as_view(), name="unet-task"),
    route("api/model/reload", views.ReloadView.as_view(), name="unet-reload"),
    catch_all("api/matting", views.NothingView.as_view(), name="unet-nothing"),
    catch_all("api/model", views.NothingView.as_view(), name="unet-nothing-model"),
]
