"""URL patterns of the rembg-compatible API (an emulated vendor API)."""

from jobs.api.routes import catch_all, route

from . import views

urlpatterns = [
    route("api/remove", views.RemoveView.as_view(), name="rembg-remove"),
    catch_all("api/remove", views.NothingView.as_view(), name="rembg-nothing"),
]
