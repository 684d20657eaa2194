from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('bootstrap', '0021_evidence_packed'),
    ]

    operations = [
        migrations.RemoveField(model_name='evidence', name='packets'),
        migrations.DeleteModel(name='Packet'),
        migrations.RemoveField(model_name='evidence', name='manifest'),
    ]
