"""Models say once how others call them: nothing changes in the database."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

NAMES = {"evaluation": "evaluations", "fusion": "fusions", "run": "runs", "study": "studies"}
OTHER_SPLIT = "Of a further dataset that the run has learnt, where it is asked about that one; empty: its own."


def key(to, **options):
    return models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=to, **options)


FIELDS = {
    ("evaluation", "run"): key("experiments.run", blank=True, null=True),
    ("evaluation", "other_split"): key("datasets.split", blank=True, null=True, help_text=OTHER_SPLIT),
    **{(model, "owner"): key(settings.AUTH_USER_MODEL) for model in ("fusion", "run", "study")},
    **{(model, "dataset"): key("datasets.dataset") for model in ("fusion", "run", "study")},
    **{(model, "split"): key("datasets.split") for model in ("fusion", "run")},
    ("study", "runs"): models.ManyToManyField(blank=True, to="experiments.run"),
    ("study", "fusions"): models.ManyToManyField(blank=True, to="experiments.fusion"),
}


class Migration(migrations.Migration):
    dependencies = [("datasets", "0004_words"), ("experiments", "0008_study_fusions")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *(
                    migrations.AlterModelOptions(model, {"default_related_name": name, "ordering": ("-id",)})
                    for model, name in NAMES.items()
                ),
                *(migrations.AlterField(model, field, declared) for (model, field), declared in FIELDS.items()),
            ]
        )
    ]
