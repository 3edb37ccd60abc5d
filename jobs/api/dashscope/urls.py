"""The DashScope dialect's addresses."""

from jobs.api.addresses import address, whatever_else_below

from . import views

urlpatterns = [
    address("api/v1/services/aigc/image2image/image-synthesis", views.SubmitView.as_view(), name="dashscope-submit"),
    # Where the SDK goes when it is told no task.
    address(
        "api/v1/services/aigc/text2image/image-synthesis", views.SubmitView.as_view(), name="dashscope-submit-text"
    ),
    address("api/v1/tasks", views.TasksView.as_view(), name="dashscope-tasks"),
    address("api/v1/tasks/<str:task_id>", views.TaskView.as_view(), name="dashscope-task"),
    address("api/v1/tasks/<str:task_id>/cancel", views.TaskCancelView.as_view(), name="dashscope-cancel"),
    address("api/v1/uploads", views.UploadPolicyView.as_view(), name="dashscope-upload-policy"),
    address("api/v1/uploads/files", views.UploadFileView.as_view(), name="dashscope-upload-file"),
    whatever_else_below("api/v1", views.NothingView.as_view(), name="dashscope-nothing"),
]
