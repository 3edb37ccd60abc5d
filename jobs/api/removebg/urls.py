"""URL patterns of the remove.bg-compatible API (an emulated vendor API)."""

from jobs.api.routes import catch_all, route

from . import views

urlpatterns = [
    route("v1.0/removebg", views.RemoveView.as_view(), name="removebg-remove"),
    route("v1.0/account", views.AccountView.as_view(), name="removebg-account"),
    catch_all("v1.0", views.NothingView.as_view(), name="removebg-nothing"),
]
