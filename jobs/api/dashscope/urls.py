"""URL patterns of the DashScope-compatible API (an emulated vendor API)."""

from jobs.api.routes import catch_all, route

from . import views

urlpatterns = [
    route("api/v1/services/aigc/image2image/image-synthesis", views.SubmitView.as_view(), name="dashscope-submit"),
    # The SDK uses this route when its caller names no task.
    route("api/v1/services/aigc/text2image/image-synthesis", views.SubmitView.as_view(), name="dashscope-submit-text"),
    route("api/v1/tasks", views.TasksView.as_view(), name="dashscope-tasks"),
    route("api/v1/tasks/<str:task_id>", views.TaskView.as_view(), name="dashscope-task"),
    route("api/v1/tasks/<str:task_id>/cancel", views.TaskCancelView.as_view(), name="dashscope-cancel"),
    route("api/v1/uploads", views.UploadPolicyView.as_view(), name="dashscope-upload-policy"),
    route("api/v1/uploads/files", views.UploadFileView.as_view(), name="dashscope-upload-file"),
    catch_all("api/v1", views.NothingView.as_view(), name="dashscope-nothing"),
]
