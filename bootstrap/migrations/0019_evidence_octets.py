from django.db import migrations

import bootstrap.models.fields

from . import _triggers

TABLE = 'bootstrap_evidence'
REFERRING = (
    ('bootstrap_scanattempt', 'evidence_id'),
    ('bootstrap_proposal', 'evidence_id'),
)


def to_octets(apps, schema_editor):
    """Store addresses as 32 octets instead of 64 letters (half the size, one index)."""
    if schema_editor.connection.vendor == 'postgresql':
        _retype(schema_editor, 'bytea', "decode({}, 'hex')")
    else:
        _rewrite(apps, schema_editor, _octets)


def to_hex(apps, schema_editor):
    """Store them as letters again."""
    if schema_editor.connection.vendor == 'postgresql':
        _retype(schema_editor, 'varchar(64)', "encode({}, 'hex')")
    else:
        _rewrite(apps, schema_editor, _hex)


def _retype(schema_editor, kind, turned):
    cursor = schema_editor.connection.cursor()
    columns = (*REFERRING, ('bootstrap_evidence_packets', 'evidence_id'))
    # Letters have a second index each for LIKE, which octets cannot have.
    cursor.execute(
        "SELECT indexname FROM pg_indexes WHERE tablename = ANY(%s)"
        " AND indexdef LIKE '%%pattern_ops%%'"
        " AND (indexdef LIKE '%%(evidence_id %%' OR indexdef LIKE '%%(digest %%')",
        [[TABLE, *(table for table, _ in columns)]],
    )
    for (name,) in cursor.fetchall():
        schema_editor.execute(f'DROP INDEX "{name}"')
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE contype = 'f' AND confrelid = %s::regclass",
        [TABLE],
    )
    constraints = cursor.fetchall()
    for table, name, _ in constraints:
        schema_editor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for table, column in ((TABLE, 'digest'), *columns):
        schema_editor.execute(
            f'ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind}'
            f' USING {turned.format(column)}'
        )
    for table, name, definition in constraints:
        schema_editor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _octets(value):
    return bytes.fromhex(value) if isinstance(value, str) else value


def _hex(value):
    return value if isinstance(value, str) else bytes(value).hex()


def _rewrite(apps, schema_editor, turn):
    """SQLite asks nobody for the type of a column: its values are what counts."""
    connection = schema_editor.connection
    connection.connection.create_function('turned', 1, turn, deterministic=True)
    columns = (*REFERRING, ('bootstrap_evidence_packets', 'evidence_id'))
    for table, column in ((TABLE, 'digest'), *columns):
        schema_editor.execute(
            f'UPDATE {table} SET {column} = turned({column})'
            f' WHERE {column} IS NOT NULL'
        )


class AlterOnSQLite(migrations.AlterField):
    """PostgreSQL's column is changed with its values, by the step that follows."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != 'postgresql':
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != 'postgresql':
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    dependencies = [
        ('bootstrap', '0018_scan_batches'),
    ]

    operations = [
        AlterOnSQLite(
            model_name='evidence',
            name='digest',
            field=bootstrap.models.fields.AddressField(primary_key=True, serialize=False),
        ),
        migrations.RunPython(to_octets, to_hex),
        # SQLite has rebuilt tables, and dropped their triggers.
        migrations.RunPython(_triggers.install, migrations.RunPython.noop),
    ]
