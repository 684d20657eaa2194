"""Triggers of the tree: leaves come in order and stay, checkpoints stay (S-86)."""

TABLES = {
    "bootstrap_auditleaf": '"index"',
    "bootstrap_checkpoint": "size",
    "bootstrap_cosignature": "id",
}
"""Table and primary key; none of them is ever changed."""

POSTGRESQL = """
CREATE OR REPLACE FUNCTION bootstrap_leaf_next() RETURNS trigger AS $$
BEGIN
    IF NEW.index <> (SELECT coalesce(max(index) + 1, 0) FROM bootstrap_auditleaf) THEN
        RAISE EXCEPTION 'the tree has no place for leaf %', NEW.index
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER audit_leaf_next BEFORE INSERT ON bootstrap_auditleaf
    FOR EACH ROW EXECUTE FUNCTION bootstrap_leaf_next();
ALTER TABLE bootstrap_auditleaf ENABLE ALWAYS TRIGGER audit_leaf_next;
"""
POSTGRESQL_TABLE = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION bootstrap_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only;
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION bootstrap_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
SQLITE = """
CREATE TRIGGER audit_leaf_next BEFORE INSERT ON bootstrap_auditleaf
WHEN NEW."index" <> (SELECT coalesce(max("index") + 1, 0) FROM bootstrap_auditleaf)
BEGIN SELECT RAISE(ABORT, 'the tree has no place for this leaf'); END
"""
SQLITE_TABLE = (
    """
    CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only: UPDATE refused'); END
    """,
    """
    CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only: DELETE refused'); END
    """,
    """
    CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
    WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})
    BEGIN SELECT RAISE(ABORT, '{table} is append-only: REPLACE refused'); END
    """,
)


def install(apps, schema_editor):
    """Make the triggers; for RunPython."""
    if schema_editor.connection.vendor == "postgresql":
        statements = [POSTGRESQL]
        statements += [POSTGRESQL_TABLE.format(table=table) for table in TABLES]
    else:
        statements = [SQLITE]
        statements += [
            text.format(table=table, key=key)
            for table, key in TABLES.items()
            for text in SQLITE_TABLE
        ]
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(apps, schema_editor):
    """Drop the triggers; for RunPython's reverse."""
    tables = [*TABLES]
    if schema_editor.connection.vendor == "postgresql":
        names = {table: ("append_only", "no_truncate") for table in tables}
        ending = " ON {table}"
    else:
        names = {table: ("no_update", "no_delete", "no_replace") for table in tables}
        ending = ""
    with schema_editor.connection.cursor() as cursor:
        where = ending.format(table="bootstrap_auditleaf")
        cursor.execute("DROP TRIGGER IF EXISTS audit_leaf_next" + where)
        for table, suffixes in names.items():
            for suffix in suffixes:
                where = ending.format(table=table)
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_{suffix}{where}")
