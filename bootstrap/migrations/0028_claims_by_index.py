from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bootstrap', '0027_preferences'),
    ]

    operations = [
        # What dead workers have left is looked for at each claim.
        migrations.AddIndex(
            model_name='workitem',
            index=models.Index(condition=models.Q(('lease_until__isnull', False)), fields=['lease_until'], name='work_leased'),
        ),
    ]
