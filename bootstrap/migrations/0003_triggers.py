"""The database itself keeps the trail append-only and every move audited."""

from django.db import migrations

from ._triggers import install, remove


class Migration(migrations.Migration):
    dependencies = [("bootstrap", "0002_audit_streams_and_permissions")]

    operations = [migrations.RunPython(install, remove)]
