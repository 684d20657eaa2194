from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    dependencies = [
        ('bootstrap', '0024_findings_with_their_scan'),
    ]

    operations = [
        # The index of a child's story begins with the child.
        migrations.AlterField(
            model_name='scanattempt',
            name='domain',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='scans', to='bootstrap.domain'),
        ),
    ]
