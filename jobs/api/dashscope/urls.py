"""The DashScope dialect's addresses."""

from django.urls import path

from . import views

urlpatterns = [
    path("api/v1/services/aigc/image2image/image-synthesis", views.SubmitView.as_view(), name="dashscope-submit"),
    # Where the SDK goes when it is told no task.
    path("api/v1/services/aigc/text2image/image-synthesis", views.SubmitView.as_view(), name="dashscope-submit-text"),
    path("api/v1/tasks", views.TasksView.as_view(), name="dashscope-tasks"),
    path("api/v1/tasks/<str:task_id>", views.TaskView.as_view(), name="dashscope-task"),
    path("api/v1/tasks/<str:task_id>/cancel", views.TaskCancelView.as_view(), name="dashscope-cancel"),
    path("api/v1/uploads", views.UploadPolicyView.as_view(), name="dashscope-upload-policy"),
    path("api/v1/uploads/files", views.UploadFileView.as_view(), name="dashscope-upload-file"),
]
