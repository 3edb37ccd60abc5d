"""The PicWish dialect's addresses: two families of paths that answer the same."""

from django.urls import path

from . import views

urlpatterns = [
    path("task/pic/segmentation", views.SegmentationView.as_view(), name="picwish-submit"),
    path("task/pic/segmentation/<str:task_id>", views.TaskView.as_view(), name="picwish-task-long"),
    path("task/<str:task_id>", views.ShortTaskView.as_view(), name="picwish-task"),
    path("api/tasks/visual/segmentation", views.VendorSegmentationView.as_view(), name="picwish-vendor-submit"),
    path("api/tasks/visual/segmentation/<str:task_id>", views.VendorTaskView.as_view(), name="picwish-vendor-task"),
]
