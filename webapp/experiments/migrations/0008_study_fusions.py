"""A study knows the fusions that it launched: until now their names told, which begin with its own."""

from django.db import migrations, models


def find_fusions(apps, _schema_editor):
    Study, Fusion = apps.get_model("experiments", "Study"), apps.get_model("experiments", "Fusion")
    for study in Study.objects.all():
        theirs = Fusion.objects.filter(name__startswith=f"{study.name} · "[:120], memberships__evaluation__run__studies=study)
        study.fusions.set(theirs.filter(created_at__gte=study.created_at).distinct())


class Migration(migrations.Migration):
    dependencies = [("experiments", "0007_weights_fetched")]

    operations = [
        migrations.AddField(
            model_name="study",
            name="fusions",
            field=models.ManyToManyField(blank=True, related_name="studies", to="experiments.fusion"),
        ),
        migrations.RunPython(find_fusions, migrations.RunPython.noop, elidable=True),
    ]
