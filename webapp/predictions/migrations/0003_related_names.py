"""Predictions say once how others call them: nothing changes in the database."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OTHER_SPLIT = "Of a further dataset that the run has learnt, where it is asked about that one; empty: its own."


def source(to, **options):
    return models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to=to, **options)


FIELDS = {
    "run": source("experiments.run"),
    "fusion": source("experiments.fusion"),
    "other_split": source("datasets.split", help_text=OTHER_SPLIT),
    "user": models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
    "upload": models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="datasets.upload"),
}


class Migration(migrations.Migration):
    dependencies = [("predictions", "0002_prediction_other_split"), ("experiments", "0009_related_names")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterModelOptions("prediction", {"default_related_name": "predictions", "ordering": ("-id",)}),
                *(migrations.AlterField("prediction", field, declared) for field, declared in FIELDS.items()),
            ]
        )
    ]
