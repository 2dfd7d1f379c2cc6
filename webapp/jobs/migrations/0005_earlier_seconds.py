from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0004_combine_datasets'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='earlier_seconds',
            field=models.FloatField(default=0, help_text='How long the attempts before the current or last one ran together.'),
        ),
    ]
