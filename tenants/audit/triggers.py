"""What writes the trail: one trigger function in the public schema, attached to a table by one line in its migration.

A trigger sees every change alike: of a form, of the API, of a bulk update, of a shell, of raw SQL. It runs in the
change's own transaction, so that one doesn't stand without the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db.migrations import RunSQL


def _hash(row: str = "") -> str:
    # An array of JSON keeps neighbours apart, and PostgreSQL writes a value of jsonb in one way only. Microseconds
    # stand for the time, which as text would follow the session's zone.
    who = ["actor_kind", "actor_id", "actor_name", "request_id", "address"]
    what = ["action", "message", "entity", "entity_id", "entity_label", "old", "new", "previous_hash"]
    time = f'(extract(epoch FROM {row}"at") * 1000000)::bigint'
    parts = [f'{row}"position"', time, *(f'{row}"{name}"' for name in [*who, *what])]
    return f"encode(sha256(convert_to(jsonb_build_array({', '.join(parts)})::text, 'UTF8')), 'hex')"


# The hash of an event, out of its columns.
HASH: Final = _hash()

# Who acts, the connection was told (`tenants.actor.SETTING`). Apart from the trigger function, which PostgreSQL
# compiles anew for each table and session.
_APPEND_FUNCTION: Final = """
CREATE FUNCTION public.audit_append(
    trail text, plain_action text, entity text, entity_id text, entity_label text, before jsonb, after jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    told jsonb := coalesce(nullif(current_setting('switchboard.actor', true), ''), '{}')::jsonb;
    kind text := coalesce(told->>'kind', 'system');
    who text := coalesce(told->>'id', '');
    address text := coalesce(told->>'address', '');
    -- Whoever doesn't belong to the schema whose trail this is: their name has to do.
    is_guest boolean := CASE kind WHEN 'system' THEN false WHEN 'operator' THEN trail <> 'public'
                                  ELSE trail = 'public' END;
    head record;
    event record;
    -- Where the trail is the one that its tables' bare names mean, the plans of the statements are kept from row to
    -- row. Planning them anew is most of what a row of a bulk update would cost.
    is_here boolean := to_regclass('audit_chainhead') = to_regclass(format('%I.audit_chainhead', trail))
        AND to_regclass('audit_auditevent') = to_regclass(format('%I.audit_auditevent', trail));
    known text := current_setting('switchboard.audit_head', true);
    place tid := CASE WHEN is_here AND starts_with(known, trail || ' ') THEN substr(known, length(trail) + 2)::tid END;
BEGIN
    IF to_regclass(format('%I.audit_chainhead', trail)) IS NULL THEN
        RETURN;  -- The schema is being made, or is gone.
    END IF;
    FOR attempt IN 1..2 LOOP
        IF is_here THEN
            -- By its place, as the transaction's last event left it: by its id it would be looked for among the
            -- remains of all events before, which stay until the transaction ends. No row is at a place that isn't it.
            IF place IS NOT NULL THEN
                SELECT "position", hash INTO head FROM audit_chainhead WHERE ctid = place AND id = 1 FOR UPDATE;
                EXIT WHEN head."position" IS NOT NULL;
                place := NULL;
            END IF;
            SELECT "position", hash INTO head FROM audit_chainhead WHERE id = 1 FOR UPDATE;
        ELSE
            EXECUTE format('SELECT "position", hash FROM %I.audit_chainhead WHERE id = 1 FOR UPDATE', trail) INTO head;
        END IF;
        EXIT WHEN head."position" IS NOT NULL;
        EXECUTE format('INSERT INTO %I.audit_chainhead VALUES (1, 0, '''') ON CONFLICT DO NOTHING', trail);
    END LOOP;
    SELECT head."position" + 1 AS "position", clock_timestamp() AS "at", kind AS actor_kind,
           left(CASE WHEN is_guest THEN '' ELSE who END, 200) AS actor_id,
           left(coalesce(nullif(told->>'name', ''), nullif(current_setting('application_name'), ''), session_user), 200)
               AS actor_name,
           left(coalesce(told->>'request_id', ''), 200) AS request_id,
           left(CASE WHEN is_guest THEN '' ELSE address END, 200) AS address,
           left(coalesce(nullif(told->>'action', ''), plain_action), 200) AS "action",
           left(coalesce(told->>'message', ''), 1000) AS message,
           entity AS entity, left(coalesce(entity_id, ''), 200) AS entity_id,
           left(coalesce(entity_label, ''), 200) AS entity_label,
           before AS "old", after AS "new", head.hash AS previous_hash, '' AS hash
    INTO event;
    event.hash := @HASH@;
    IF is_here THEN
        INSERT INTO audit_auditevent ("position", "at", actor_kind, actor_id, actor_name, request_id, address,
            "action", message, entity, entity_id, entity_label, "old", "new", previous_hash, hash)
        VALUES (event."position", event."at", event.actor_kind, event.actor_id, event.actor_name, event.request_id,
            event.address, event."action", event.message, event.entity, event.entity_id, event.entity_label,
            event."old", event."new", event.previous_hash, event.hash);
        IF place IS NULL THEN
            UPDATE audit_chainhead SET "position" = event."position", hash = event.hash WHERE id = 1
            RETURNING ctid INTO STRICT place;
        ELSE
            UPDATE audit_chainhead SET "position" = event."position", hash = event.hash WHERE ctid = place
            RETURNING ctid INTO STRICT place;
        END IF;
        PERFORM set_config('switchboard.audit_head', trail || ' ' || place, true);
        RETURN;
    END IF;
    EXECUTE format(
        'WITH added AS (INSERT INTO %1$I.audit_auditevent ("position", "at", actor_kind, actor_id, actor_name, '
        'request_id, address, "action", message, entity, entity_id, entity_label, "old", "new", previous_hash, hash) '
        'VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)) '
        'UPDATE %1$I.audit_chainhead SET "position" = $1, hash = $16 WHERE id = 1', trail)
    USING event."position", event."at", event.actor_kind, event.actor_id, event.actor_name, event.request_id,
        event.address, event."action", event.message, event.entity, event.entity_id, event.entity_label, event."old",
        event."new", event.previous_hash, event.hash;
END $$
""".replace("@HASH@", _hash("event."))

# Arguments: entity, label column, key column, ignored columns, hidden columns, column with the tenant's id, and
# whether the platform's trail has it too.
_CHANGE_FUNCTION: Final = """
CREATE FUNCTION public.audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ignored CONSTANT text[] := TG_ARGV[3];
    hidden CONSTANT text[] := TG_ARGV[4];
    whole jsonb;
    before jsonb;
    after jsonb;
    secret text;
    plain_action text;
    home text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        whole := to_jsonb(OLD);
        before := whole - ignored;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        whole := to_jsonb(NEW);
        after := whole - ignored;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF before = after THEN
            RETURN NULL;
        END IF;
        SELECT jsonb_object_agg(name, before->name), jsonb_object_agg(name, after->name) INTO before, after
        FROM jsonb_object_keys(after) AS name WHERE before->name IS DISTINCT FROM after->name;
    END IF;
    FOREACH secret IN ARRAY hidden LOOP
        IF coalesce(before->>secret, '') <> '' THEN
            before := jsonb_set(before, ARRAY[secret], '"(set)"');
        END IF;
        IF coalesce(after->>secret, '') <> '' THEN
            after := jsonb_set(
                after, ARRAY[secret], to_jsonb(CASE TG_OP WHEN 'INSERT' THEN '(set)' ELSE '(changed)' END));
        END IF;
    END LOOP;
    plain_action := TG_ARGV[0] || CASE TG_OP WHEN 'INSERT' THEN '.created' WHEN 'UPDATE' THEN '.changed'
                                             ELSE '.deleted' END;
    IF TG_TABLE_SCHEMA <> 'public' THEN
        PERFORM public.audit_append(
            TG_TABLE_SCHEMA, plain_action, TG_ARGV[0], whole->>TG_ARGV[2], whole->>TG_ARGV[1], before, after);
        RETURN NULL;
    END IF;
    -- The tenant's trail first, then the platform's: whoever locks both heads locks them in this order.
    IF TG_ARGV[5] <> '' THEN
        SELECT schema_name INTO home FROM public.tenants_tenant WHERE id = (whole->>TG_ARGV[5])::uuid;
        -- A tenant that is being made has no schema yet, and one that is being deleted none any more.
        IF to_regclass(quote_ident(home) || '.audit_chainhead') IS NULL THEN
            home := NULL;
        ELSE
            PERFORM public.audit_append(
                home, plain_action, TG_ARGV[0], whole->>TG_ARGV[2], whole->>TG_ARGV[1], before, after);
        END IF;
    END IF;
    IF home IS NULL OR TG_ARGV[6]::boolean THEN
        PERFORM public.audit_append(
            'public', plain_action, TG_ARGV[0], whole->>TG_ARGV[2], whole->>TG_ARGV[1], before, after);
    END IF;
    RETURN NULL;
END $$
"""

_EMPTIED_FUNCTION: Final = """
CREATE FUNCTION public.audit_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.audit_append(TG_TABLE_SCHEMA, TG_ARGV[0] || '.emptied', TG_ARGV[0], '', '', NULL, NULL);
    RETURN NULL;
END $$
"""


def functions() -> list[RunSQL]:
    """The functions of the trail, for the migration of the public schema."""
    return [
        RunSQL(_APPEND_FUNCTION, "DROP FUNCTION public.audit_append"),
        RunSQL(_CHANGE_FUNCTION, "DROP FUNCTION public.audit_change"),
        RunSQL(_EMPTIED_FUNCTION, "DROP FUNCTION public.audit_emptied"),
    ]


def audited(
    table: str,
    *,
    entity: str,
    label: str = "",
    key: str = "id",
    hidden: Sequence[str] = (),
    ignored: Sequence[str] = (),
    tenant: str = "",
    in_platform: bool = True,
) -> RunSQL:
    """Audit a table: an operation for the migration that makes it, which must depend on `("tenants", "0001_initial")`.

    Args:
        table: its name in the database.
        entity: the word for one of its rows, which begins its actions: `prompt`, `model_endpoint`.
        label: the column that names a row to people.
        key: the column that names it to programs.
        hidden: columns with secrets and personal data. That they changed is written down, never what they hold.
        ignored: columns whose change is no deed of anybody's: counters, moments, progress.
        tenant: for a table of the public schema whose rows belong to tenants, the column with the tenant's id. What
            changes is then written into that tenant's trail.
        in_platform: whether the platform's trail has it as well. Where the tenant has no schema, it has in any case.
    """
    arguments = [entity, label, key, _array(ignored), _array(hidden), tenant, "true" if in_platform else "false"]
    quoted = ", ".join(_literal(argument) for argument in arguments)
    return RunSQL(
        [
            f'CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON "{table}" '
            f"FOR EACH ROW EXECUTE FUNCTION public.audit_change({quoted})",
            f'CREATE TRIGGER audit_emptied AFTER TRUNCATE ON "{table}" '
            f"FOR EACH STATEMENT EXECUTE FUNCTION public.audit_emptied({_literal(entity)})",
        ],
        [f'DROP TRIGGER audit_change ON "{table}"', f'DROP TRIGGER audit_emptied ON "{table}"'],
    )


def _array(names: Sequence[str]) -> str:
    return "{" + ",".join(names) + "}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
