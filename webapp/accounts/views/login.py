"""Login, slowed down for those who guess."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

ATTEMPTS, WINDOW_SECONDS = 10, 300


@method_decorator([login_not_required, sensitive_post_parameters(), csrf_protect, never_cache], name="dispatch")
class Login(LoginView):
    """Ten wrong passwords from one address or for one name in five minutes, then a pause."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method == "POST" and any(cache.get(key, 0) >= ATTEMPTS for key in self._keys()):
            return HttpResponse(_("Too many attempts. Try again in five minutes."), status=429)
        return super().dispatch(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        for key in self._keys():
            cache.add(key, 0, WINDOW_SECONDS)
            cache.incr(key)
        return super().form_invalid(form)

    def _keys(self) -> tuple[str, str]:
        name = self.request.POST.get("username", "")[:150].lower().encode().hex()
        return f"login-address-{self.request.META['REMOTE_ADDR']}", f"login-name-{name}"
