"""The PicWish dialect's addresses: two families of paths that answer the same."""

from jobs.api.addresses import address, whatever_else_below

from . import views

urlpatterns = [
    address("task/pic/segmentation", views.SegmentationView.as_view(), name="picwish-submit"),
    address("task/pic/segmentation/<str:task_id>", views.TaskView.as_view(), name="picwish-task-long"),
    address("task/<str:task_id>", views.ShortTaskView.as_view(), name="picwish-task"),
    address("api/tasks/visual/segmentation", views.VendorSegmentationView.as_view(), name="picwish-vendor-submit"),
    address("api/tasks/visual/segmentation/<str:task_id>", views.VendorTaskView.as_view(), name="picwish-vendor-task"),
    whatever_else_below("task", views.NothingView.as_view(), name="picwish-nothing"),
    whatever_else_below("api/tasks", views.NothingView.as_view(), name="picwish-vendor-nothing"),
]
