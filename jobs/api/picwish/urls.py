"""URL patterns of the PicWish-compatible API (an emulated vendor API): two groups of paths with the same responses."""

from jobs.api.routes import catch_all, route

from . import views

urlpatterns = [
    route("task/pic/segmentation", views.SegmentationView.as_view(), name="picwish-submit"),
    route("task/pic/segmentation/<str:task_id>", views.TaskView.as_view(), name="picwish-task-long"),
    route("task/<str:task_id>", views.ShortTaskView.as_view(), name="picwish-task"),
    route("api/tasks/visual/segmentation", views.VendorSegmentationView.as_view(), name="picwish-vendor-submit"),
    route("api/tasks/visual/segmentation/<str:task_id>", views.VendorTaskView.as_view(), name="picwish-vendor-task"),
    catch_all("task", views.NothingView.as_view(), name="picwish-nothing"),
    catch_all("api/tasks", views.NothingView.as_view(), name="picwish-vendor-nothing"),
]
