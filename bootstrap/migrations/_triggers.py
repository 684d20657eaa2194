"""Triggers as SQL for both databases, for the migrations that (re)install them.

SQLite drops the triggers of a table that a migration rebuilds, so a migration
that alters one of these tables ends with `install`. Released text is frozen:
another version is another module.
"""

APPEND_ONLY = ("bootstrap_auditentry", "bootstrap_decision", "bootstrap_policyversion")

POSTGRESQL = """
CREATE OR REPLACE FUNCTION bootstrap_refuse_change() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION bootstrap_audit_next_number() RETURNS trigger AS $$
BEGIN
    IF NEW.number <> 1 + (
        SELECT coalesce(max(number), 0) FROM bootstrap_auditentry
        WHERE stream = NEW.stream
    ) THEN
        RAISE EXCEPTION 'the stream % has no place for number %',
            NEW.stream, NEW.number USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION bootstrap_audit_pending() RETURNS trigger AS $$
BEGIN
    INSERT INTO bootstrap_auditpending (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION bootstrap_proposal_move() RETURNS trigger AS $$
BEGIN
    IF NEW.version <> OLD.version + 1 OR NOT EXISTS (
        SELECT 1 FROM bootstrap_auditentry
        WHERE about = NEW.id AND about_version = NEW.version
    ) THEN
        RAISE EXCEPTION 'proposal % moved without an audit entry for version %',
            NEW.id, NEW.version USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$ LANGUAGE plpgsql;

CREATE TRIGGER audit_next_number BEFORE INSERT ON bootstrap_auditentry
    FOR EACH ROW EXECUTE FUNCTION bootstrap_audit_next_number();
ALTER TABLE bootstrap_auditentry ENABLE ALWAYS TRIGGER audit_next_number;
CREATE TRIGGER audit_pending AFTER INSERT ON bootstrap_auditentry
    FOR EACH ROW EXECUTE FUNCTION bootstrap_audit_pending();
ALTER TABLE bootstrap_auditentry ENABLE ALWAYS TRIGGER audit_pending;
CREATE TRIGGER proposal_move_audited BEFORE UPDATE ON bootstrap_proposal
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION bootstrap_proposal_move();
ALTER TABLE bootstrap_proposal ENABLE ALWAYS TRIGGER proposal_move_audited;
"""
POSTGRESQL_TABLE = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION bootstrap_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only;
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION bootstrap_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
POSTGRESQL_REMOVE = """
DROP TRIGGER IF EXISTS audit_next_number ON bootstrap_auditentry;
DROP TRIGGER IF EXISTS audit_pending ON bootstrap_auditentry;
DROP TRIGGER IF EXISTS proposal_move_audited ON bootstrap_proposal;
"""
POSTGRESQL_TABLE_REMOVE = """
DROP TRIGGER IF EXISTS {table}_append_only ON {table};
DROP TRIGGER IF EXISTS {table}_no_truncate ON {table};
"""

# SQLite has no TRUNCATE. REPLACE deletes without firing delete triggers unless
# recursive_triggers is on, so inserting over an existing row is refused too.
SQLITE = (
    """
    CREATE TRIGGER audit_next_number BEFORE INSERT ON bootstrap_auditentry
    WHEN NEW.number <> 1 + (
        SELECT coalesce(max(number), 0) FROM bootstrap_auditentry
        WHERE stream = NEW.stream
    )
    BEGIN SELECT RAISE(ABORT, 'the stream has no place for this number'); END
    """,
    """
    CREATE TRIGGER audit_pending AFTER INSERT ON bootstrap_auditentry
    BEGIN INSERT INTO bootstrap_auditpending (entry_id) VALUES (NEW.id); END
    """,
    """
    CREATE TRIGGER audit_uid_once BEFORE INSERT ON bootstrap_auditentry
    WHEN EXISTS (SELECT 1 FROM bootstrap_auditentry WHERE uid = NEW.uid)
    BEGIN SELECT RAISE(ABORT, 'bootstrap_auditentry is append-only'); END
    """,
    """
    CREATE TRIGGER proposal_move_audited BEFORE UPDATE ON bootstrap_proposal
    WHEN OLD.state IS NOT NEW.state AND (
        NEW.version <> OLD.version + 1 OR NOT EXISTS (
            SELECT 1 FROM bootstrap_auditentry
            WHERE about = NEW.id AND about_version = NEW.version
        )
    )
    BEGIN SELECT RAISE(ABORT, 'proposal moved without an audit entry'); END
    """,
)
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
    WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, '{table} is append-only: REPLACE refused'); END
    """,
)
SQLITE_NAMES = (
    "audit_next_number",
    "audit_pending",
    "audit_uid_once",
    "proposal_move_audited",
)
SQLITE_TABLE_NAMES = ("{table}_no_update", "{table}_no_delete", "{table}_no_replace")


def install(apps, schema_editor):
    """Make every trigger anew; for RunPython."""
    remove(apps, schema_editor)
    if schema_editor.connection.vendor == "postgresql":
        statements = [POSTGRESQL]
        statements += [POSTGRESQL_TABLE.format(table=table) for table in APPEND_ONLY]
    else:
        statements = list(SQLITE)
        statements += [
            text.format(table=table) for table in APPEND_ONLY for text in SQLITE_TABLE
        ]
    _run(schema_editor, statements)


def remove(apps, schema_editor):
    """Drop every trigger that is there; for RunPython's reverse."""
    if schema_editor.connection.vendor == "postgresql":
        statements = [POSTGRESQL_REMOVE]
        statements += [
            POSTGRESQL_TABLE_REMOVE.format(table=table) for table in APPEND_ONLY
        ]
    else:
        names = list(SQLITE_NAMES)
        names += [
            name.format(table=table)
            for table in APPEND_ONLY
            for name in SQLITE_TABLE_NAMES
        ]
        statements = [f"DROP TRIGGER IF EXISTS {name}" for name in names]
    _run(schema_editor, statements)


def _run(schema_editor, statements):
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
