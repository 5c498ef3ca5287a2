"""Addresses of signing in, under the admin's. Their names are allauth's, which leads to them by these."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.urls import path, re_path

from tenants.staff.signin import oidc, views

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="account_login"),
    path("login/inactive/", views.InactiveView.as_view(), name="account_inactive"),
    path("login/second-factor/", views.SecondFactorView.as_view(), name="mfa_authenticate"),
    path("login/forgotten/", views.ForgottenView.as_view(), name="account_reset_password"),
    path("login/forgotten/done/", views.ForgottenDoneView.as_view(), name="account_reset_password_done"),
    re_path(
        r"^login/new-password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[0-9A-Za-z-]+)/$",
        views.NewPasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("login/new-password/", views.NewPasswordDoneView.as_view(), name="account_reset_password_from_key_done"),
    path("login/sso/<uuid:provider_id>/", oidc.begin, name="openid_connect_login"),
    path("login/sso/<uuid:provider_id>/callback/", oidc.finish, name="openid_connect_callback"),
    path("invitation/<str:token>/", views.InvitationView.as_view(), name="staff_invitation"),
    path("again/", login_required(views.AgainView.as_view()), name="account_reauthenticate"),
    path("again/second-factor/", views.SecondFactorAgainView.as_view(), name="mfa_reauthenticate"),
    path("second-factor/", views.SecondFactorPage.as_view(), name="mfa_index"),
    path("second-factor/set-up/", login_required(views.SetUpView.as_view()), name="mfa_activate_totp"),
    path("second-factor/remove/", views.RemoveView.as_view(), name="mfa_deactivate_totp"),
    path("second-factor/recovery-codes/", views.RecoveryCodesView.as_view(), name="mfa_view_recovery_codes"),
    path("second-factor/recovery-codes/new/", views.NewRecoveryCodesView.as_view(), name="mfa_generate_recovery_codes"),
]
