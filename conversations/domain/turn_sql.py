"""Accepting a message and keeping an answer, one SQL statement each.

Through the ORM they are nine and seven round trips, each of which has to win the interpreter's lock back from a busy
event loop; at a hundred streams that was most of the time to the first token (`bench/chat`). What the statements do is
told, and tested, in `turns`.
"""

from __future__ import annotations

from typing import Final

from tenants.domain import lease_sql

# The lock puts messages of one conversation in a row. A statement that waited for it still sees the turns from before:
# then it tries to start a second running turn, the unique index refuses, and it is run again.
ACCEPT: Final = f"""
WITH thread AS MATERIALIZED (
    SELECT conversation.id, conversation.last_event, conversation.title, conversation.contact, CASE
        WHEN agent.deleted_at IS NOT NULL OR agent.status <> 'active' AND conversation.channel <> 'playground' THEN NULL
        WHEN conversation.release_id = ANY (agent.withdrawn_release_ids) THEN agent.live_release_id
        ELSE COALESCE(conversation.release_id, agent.live_release_id)
    END AS release_id
    FROM conversations_conversation conversation JOIN agents_agent agent ON agent.id = conversation.agent_id
    WHERE conversation.id = %(conversation)s FOR UPDATE OF conversation
), earlier AS (
    SELECT turn.id, turn.content_digest, turn.first_event, message.id AS message_id
    FROM conversations_turn turn
    JOIN conversations_message message ON message.turn_id = turn.id AND message.role = 'contact'
    WHERE turn.conversation_id = %(conversation)s AND turn.idempotency_key = %(key)s
), open_turns AS (
    SELECT count(*) AS waiting FROM conversations_turn
    WHERE conversation_id = %(conversation)s AND status IN ('queued', 'running')
), accepted AS (
    INSERT INTO conversations_turn (id, conversation_id, status, release_id, idempotency_key, content_digest,
                                    cancel_requested, events, error_code, created_at, started_at)
    SELECT %(turn)s, thread.id, CASE WHEN waiting = 0 THEN 'running' ELSE 'queued' END, release_id, %(key)s, %(digest)s,
           false, '[]', '', now(), CASE WHEN waiting = 0 THEN now() END
    FROM thread, open_turns
    WHERE release_id IS NOT NULL AND waiting <= %(most_waiting)s AND NOT EXISTS (SELECT FROM earlier)
    RETURNING id, status = 'running' AS is_ours
), question AS (
    INSERT INTO conversations_message (id, conversation_id, turn_id, role, text, citations, created_at)
    SELECT %(message)s, %(conversation)s, id, 'contact', %(content)s, '[]', now() FROM accepted
), titled AS (
    UPDATE conversations_conversation SET title = %(title)s, updated_at = now()
    FROM accepted WHERE conversations_conversation.id = %(conversation)s AND title = ''
), lease AS ({lease_sql.OPEN.format(work="accepted")})
SELECT thread.last_event, thread.release_id, accepted.is_ours,
       earlier.id, earlier.content_digest, earlier.first_event, earlier.message_id,
       CASE WHEN accepted.is_ours AND thread.title <> '' THEN (
           SELECT json_agg(json_build_array(role, text)) FROM (
               SELECT role, text FROM conversations_message
               WHERE conversation_id = %(conversation)s ORDER BY turn_id DESC, id DESC LIMIT %(history)s
           ) AS said
       ) END, thread.contact
FROM thread LEFT JOIN accepted ON true LEFT JOIN earlier ON true
"""  # noqa: S608 - made of our own constants

# Nothing is kept where the lease is another's by now: every part hangs on the lease that is closed. Whether notices
# wait is read of the row as it is once this statement has it, however long it waited: `notices.tell` holds it too.
FINISH: Final = f"""
WITH lease AS ({lease_sql.CLOSE}), ended AS (
    UPDATE conversations_turn turn SET status = %(status)s, error_code = %(error_code)s, finished_at = now(),
           first_event = %(first_event)s, last_event = %(last_event)s, events = %(events)s
    FROM lease WHERE turn.id = lease.id RETURNING turn.id
), answer AS (
    INSERT INTO conversations_message (id, conversation_id, turn_id, role, text, citations, created_at)
    SELECT %(message)s, %(conversation)s, id, 'agent', %(answer)s, %(citations)s, now()
    FROM ended WHERE %(message)s::uuid IS NOT NULL
), moved AS (
    UPDATE conversations_conversation conversation SET last_event = %(last_event)s, updated_at = now()
    FROM ended WHERE conversation.id = %(conversation)s RETURNING has_waiting_notices
)
SELECT EXISTS (SELECT FROM conversations_turn
               WHERE conversation_id = %(conversation)s AND status IN ('queued', 'running') AND id <> %(lease_work)s),
       has_waiting_notices
FROM ended LEFT JOIN moved ON true
"""  # noqa: S608 - made of our own constants
