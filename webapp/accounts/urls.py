from django.contrib.auth.views import LogoutView
from django.urls import path

from webapp.accounts.views import login, users

app_name = "accounts"
urlpatterns = [
    path("login/", login.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", users.OwnPassword.as_view(), name="own_password"),
    path("users/", users.user_list, name="user_list"),
    path("users/<int:user_id>/password", users.user_password, name="user_password"),
    path("users/<int:user_id>/active", users.user_active, name="user_active"),
]
