"""Stage 9, rendering for operators: users and groups, with every change in the audit trail."""

from __future__ import annotations

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
import django_rq.admin  # noqa: F401  these three register what is taken out again below
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_rq.models import Dashboard
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from jobs.admin.base import AuditedAdmin

# Queues are looked at on the dashboard: emptying one by hand would go past the database, which owns every job's state.
# Addresses and second factors are their owner's; a password is set, and a user switched off, on the user's page.
for model in (User, Group, EmailAddress, Authenticator, Dashboard):
    admin.site.unregister(model)


@admin.register(User)
class PeopleAdmin(AuditedAdmin, UserAdmin):
    """Edit users; a user is switched off rather than deleted, so that what they did keeps its name."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Group)
class RoleAdmin(AuditedAdmin, GroupAdmin):
    """Edit groups; Operator, Auditor and Team manager are made by the site itself."""
