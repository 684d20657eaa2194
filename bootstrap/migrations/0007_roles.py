"""The groups of staff, and what each may do (S-67)."""

from django.db import migrations

PERMISSIONS = {
    "decide_proposal": ("proposal", "Can approve and reject proposals"),
    "hold_proposal": ("proposal", "Can hold and release proposals"),
    "comment_proposal": ("proposal", "Can comment on proposals"),
    "request_scan": ("domain", "Can ask for a new scan"),
    "manage_zones": ("zone", "Can add and change zones and policies"),
    "view_audit": ("auditentry", "Can read the trail"),
}
VIEWED = (
    "alarm",
    "decision",
    "domain",
    "evidence",
    "packet",
    "policyversion",
    "proposal",
    "publication",
    "scanattempt",
    "scanfinding",
    "sighting",
    "workitem",
    "zone",
)
VIEWS = {
    f"view_{model}": (model, f"Can view {label}")
    for model, label in {
        **{model: model for model in VIEWED},
        "auditentry": "audit entry",
        "policyversion": "policy version",
        "scanattempt": "scan attempt",
        "scanfinding": "scan finding",
        "workitem": "work item",
    }.items()
}
VIEWER = tuple(f"view_{model}" for model in VIEWED)
REVIEWER = ("hold_proposal", "comment_proposal", "request_scan")
GROUPS = {
    "viewer": VIEWER,
    "reviewer": (*VIEWER, *REVIEWER),
    "approver": (*VIEWER, *REVIEWER, "decide_proposal"),
    "auditor": (*VIEWER, "view_audit", "view_auditentry"),
    "zone manager": (*VIEWER, "manage_zones"),
    "administrator": VIEWER,
}
USERS = ("view_user", "add_user", "change_user", "view_group")


def make(apps, schema_editor):
    """Make groups and permissions; Django's own step adds what is missing."""
    group_of = apps.get_model("auth", "Group").objects.using(
        schema_editor.connection.alias
    )
    for name, codenames in GROUPS.items():
        group, _ = group_of.get_or_create(name=name)
        wanted = [_permission(apps, schema_editor, code) for code in codenames]
        if name == "administrator":
            wanted += [_user_permission(apps, schema_editor, code) for code in USERS]
        group.permissions.set(wanted)


def unmake(apps, schema_editor):
    """Remove the groups; their members keep their accounts."""
    apps.get_model("auth", "Group").objects.using(
        schema_editor.connection.alias
    ).filter(name__in=GROUPS).delete()


def _permission(apps, schema_editor, codename):
    model, label = {**PERMISSIONS, **VIEWS}[codename]
    return _get(apps, schema_editor, "bootstrap", model, codename, label)


def _user_permission(apps, schema_editor, codename):
    verb, model = codename.split("_")
    return _get(apps, schema_editor, "auth", model, codename, f"Can {verb} {model}")


def _get(apps, schema_editor, app, model, codename, label):
    alias = schema_editor.connection.alias
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.using(
        alias
    ).get_or_create(app_label=app, model=model)
    permission, _ = apps.get_model("auth", "Permission").objects.using(
        alias
    ).get_or_create(content_type=kind, codename=codename, defaults={"name": label})
    return permission


class Migration(migrations.Migration):
    dependencies = [
        ("bootstrap", "0006_proposal_proof_end"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make, unmake)]
