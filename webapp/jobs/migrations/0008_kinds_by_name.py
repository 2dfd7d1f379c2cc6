"""The kinds of jobs are asked for by name from here on: nothing changes in the database."""

from django.db import migrations, models

import webapp.jobs.models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0007_words")]

    operations = [
        migrations.AlterField("job", "kind", models.CharField(choices=webapp.jobs.models.kinds, max_length=16)),
    ]
