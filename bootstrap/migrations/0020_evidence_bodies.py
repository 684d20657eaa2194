from django.db import migrations, models
import django.db.models.deletion

import bootstrap.models.fields

BODIES = """
CREATE TABLE bootstrap_evidencebody (
    evidence_id bytea NOT NULL
        REFERENCES bootstrap_evidence (digest) DEFERRABLE INITIALLY DEFERRED,
    created_at timestamp with time zone NOT NULL,
    pieces bytea NOT NULL,
    packed bytea NOT NULL,
    PRIMARY KEY (created_at, evidence_id)
) PARTITION BY RANGE (created_at)
"""
# What is compressed already is not worth another try.
STORED = """
ALTER TABLE bootstrap_evidencebody ALTER COLUMN packed SET STORAGE EXTERNAL
"""
REST = """
CREATE TABLE bootstrap_evidencebody_rest PARTITION OF bootstrap_evidencebody DEFAULT
"""
# Who stores evidence owns no table: this makes months, and nothing else.
MONTHS = """
CREATE FUNCTION bootstrap_evidence_months(first date, months integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    month date := date_trunc('month', first);
    beginning text;
    ending text;
    name text;
    made integer := 0;
BEGIN
    FOR turn IN 1 .. least(months, 1200) LOOP
        name := 'bootstrap_evidencebody_' || to_char(month, 'YYYYMM');
        beginning := to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00';
        month := month + interval '1 month';
        ending := to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00';
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        EXECUTE format(
            'CREATE TABLE %I (LIKE bootstrap_evidencebody'
            ' INCLUDING DEFAULTS INCLUDING STORAGE)', name);
        -- what came before its month was made
        EXECUTE format(
            'WITH early AS (DELETE FROM bootstrap_evidencebody_rest'
            ' WHERE created_at >= %L AND created_at < %L RETURNING *)'
            ' INSERT INTO %I SELECT * FROM early', beginning, ending, name);
        EXECUTE format(
            'ALTER TABLE bootstrap_evidencebody ATTACH PARTITION %I'
            ' FOR VALUES FROM (%L) TO (%L)', name, beginning, ending);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$
"""
FIRST = """
SELECT bootstrap_evidence_months(first, 4 + (
    12 * extract(year FROM age(now(), first)) + extract(month FROM age(now(), first))
)::integer)
FROM (
    SELECT coalesce(date_trunc('month', min(created_at) AT TIME ZONE 'UTC'), now())::date
        AS first
    FROM bootstrap_evidence
) AS oldest
"""
GONE = (
    'DROP FUNCTION bootstrap_evidence_months(date, integer)',
    'DROP TABLE bootstrap_evidencebody',
)
# The key of PostgreSQL's table begins with the time.
BY_DAY = 'CREATE INDEX evidence_body_day ON bootstrap_evidencebody (created_at)'


class CreateBodies(migrations.CreateModel):
    """A partition a month on PostgreSQL, a plain table on SQLite."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == 'postgresql':
            for statement in (BODIES, STORED, REST, MONTHS, FIRST):
                schema_editor.execute(statement, params=None)
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            schema_editor.execute(BY_DAY)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == 'postgresql':
            for statement in GONE:
                schema_editor.execute(statement)
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    dependencies = [
        ('bootstrap', '0019_evidence_octets'),
    ]

    operations = [
        migrations.AddField(
            model_name='evidence',
            name='compacted',
            field=models.BooleanField(default=False),
        ),
        CreateBodies(
            name='EvidenceBody',
            fields=[
                ('evidence', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='body', serialize=False, to='bootstrap.evidence')),
                ('created_at', models.DateTimeField()),
                ('pieces', models.BinaryField()),
                ('packed', models.BinaryField()),
            ],
            options={
                'verbose_name_plural': 'evidence bodies',
            },
        ),
        migrations.CreateModel(
            name='EvidencePiece',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('digest', bootstrap.models.fields.AddressField()),
                ('packed', models.BinaryField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('day', 'digest'), name='piece_once_a_day')],
            },
        ),
    ]
