"""What can be chosen on the pages of results: allow-listed, and anything else in the address is ignored."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

ID_LIST = RegexValidator(r"^\d{1,18}(,\d{1,18}){0,9}$", _("The address names evaluations in a way that cannot be read: they are left out."))
NO_CLASS = {"invalid_choice": _("There is no class %(value)s here: the videos of all classes are shown.")}
NO_OUTCOME = {"invalid_choice": _("There is no outcome “%(value)s”: right and wrong videos are shown.")}


class _LenientForm(forms.Form):
    """Each field has the value of the address if that is allowed, else its initial one."""

    def chosen(self) -> dict[str, Any]:
        self.is_valid()
        return {name: self.cleaned_data.get(name) or field.initial for name, field in self.fields.items()}

    def shown(self) -> "_LenientForm":
        """The same form with the values in force selected."""
        return type(self)(self.chosen())


def _choice(label: Any, *choices: tuple[str, Any]) -> forms.ChoiceField:
    """The first choice holds until another one is made."""
    return forms.ChoiceField(label=label, required=False, initial=choices[0][0], choices=choices)


class ChartOptions(_LenientForm):
    """How the charts of an evaluation are drawn."""

    order = _choice(_("Order"), ("recall", _("recall")), ("name", _("name")), ("support", _("videos")))
    cells = _choice(_("Cells"), ("share", _("share of the class")), ("counts", _("videos")))
    diagonal = _choice(_("Diagonal"), ("show", _("shown")), ("hide", _("hidden")))
    matrix = _choice(_("Order"), ("index", _("class")), ("recall", _("recall")))
    classes = _choice(_("Classes"), ("all", _("all")), ("worst", _("the 40 worst")))


class MapOptions(_LenientForm):
    """Which map of the embeddings is drawn, of which videos, and which classes are in colour."""

    map = _choice(_("Map"), ("umap", "UMAP"), ("pca", "PCA"))
    outcome = _choice(_("Outcome"), ("", _("all")), ("right", _("right")), ("wrong", _("wrong")))
    classes = forms.TypedMultipleChoiceField(label=_("Classes in colour"), required=False, initial=[], coerce=int, empty_value=[])

    def __init__(self, maps: Iterable[str], classes: Iterable[tuple[int, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drawn, field = set(maps), self.fields["map"]
        field.choices = [choice for choice in field.choices if choice[0] in drawn]  # type: ignore[attr-defined]
        field.initial = field.choices[0][0]  # type: ignore[attr-defined]
        self.fields["classes"].choices = list(classes)  # type: ignore[attr-defined]


class ScoredVideoFilter(forms.Form):
    """Which scored videos to list; what the address asks for in vain is an error, and left out.

    `right` and `wrong` name other evaluations that must be right or wrong on the video.
    """

    true = forms.TypedChoiceField(label=_("True class"), required=False, coerce=int, empty_value=None, error_messages=NO_CLASS)
    predicted = forms.TypedChoiceField(label=_("Predicted class"), required=False, coerce=int, empty_value=None, error_messages=NO_CLASS)
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        required=False,
        choices=[("", _("all")), ("right", _("right")), ("wrong", _("wrong"))],
        error_messages=NO_OUTCOME,
    )
    right = forms.CharField(required=False, validators=[ID_LIST], widget=forms.HiddenInput)
    wrong = forms.CharField(required=False, validators=[ID_LIST], widget=forms.HiddenInput)

    def __init__(self, names: Sequence[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in ("true", "predicted"):
            self.fields[field].choices = [("", _("all")), *enumerate(names)]  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        """Keyword arguments for `results_selectors.scored_videos`, ids as lists."""
        self.is_valid()
        allowed = self.cleaned_data
        ids = {name: [int(part) for part in (allowed.get(name) or "").split(",") if part] for name in ("right", "wrong")}
        return {"true": allowed.get("true"), "predicted": allowed.get("predicted"), "outcome": allowed.get("outcome") or "", **ids}
