"""What the job list can be filtered by."""

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.jobs.models import Job


class JobFilter(forms.Form):
    """Empty means all."""

    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("All")), *Job.State.choices])
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All")), *Job.Kind.choices])

    def chosen(self) -> dict[str, str]:
        """What the list is narrowed to; a value that is no choice filters nothing."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}
