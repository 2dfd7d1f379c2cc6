"""The users of the site, for its admins; and everybody's own password."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.forms import OwnPasswordForm, UserForm
from webapp.accounts.services import renew_password, set_active

for_admins = permission_required("auth.change_user", raise_exception=True)


@for_admins
@never_cache
@require_http_methods(["GET", "POST"])
def user_list(request: HttpRequest) -> HttpResponse:
    """All users; POST adds one, and shows the password once."""
    form = UserForm(request.POST or None)
    if form.is_valid():
        user = form.save()
        return _page(request, UserForm(), user, renew_password(user))
    return _page(request, form)


@for_admins
@never_cache
@require_POST
def user_password(request: HttpRequest, user_id: int) -> HttpResponse:
    """For who forgot theirs."""
    user = get_object_or_404(User, pk=user_id)
    return _page(request, UserForm(), user, renew_password(user))


@for_admins
@require_POST
def user_active(request: HttpRequest, user_id: int) -> HttpResponse:
    """A switch; nobody locks themselves out."""
    user = get_object_or_404(User.objects.exclude(username=request.user.get_username()), pk=user_id)
    set_active(user, not user.is_active)
    text = _("“%(name)s” can log in again.") if user.is_active else _("“%(name)s” cannot log in any more; what is theirs stays.")
    messages.success(request, text % {"name": user})
    return redirect("accounts:user_list")


def _page(request: HttpRequest, form: UserForm, told: User | None = None, password: str = "") -> HttpResponse:
    users = User.objects.annotate(num_datasets=Count("datasets")).order_by("username")
    ctx = {"users": users, "form": form, "told": told, "password": password}
    return render(request, "accounts/user_list.html", ctx, status=400 if form.errors else 200)


class OwnPassword(PasswordChangeView):
    """The old one once, the new one twice; this session goes on."""

    form_class = OwnPasswordForm
    template_name = "accounts/own_password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        messages.success(self.request, _("Your password is changed."))
        return super().form_valid(form)
