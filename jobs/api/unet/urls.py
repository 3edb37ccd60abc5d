"""The UNet dialect's addresses."""

from django.urls import path

from . import views

urlpatterns = [path("api/matting/single", views.SingleView.as_view(), name="unet-single")]
