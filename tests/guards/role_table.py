"""Who may ask what of which address: a line for every one of them.

    Rule("GET POST", "/admin/agents/agent/*/change/", Permission.AGENTS_WRITE)

The first line that fits counts. `*` stands for one part of a path; methods that a view doesn't know (405) need no line.
A new address gets a line here, or tests/guards/test_roles.py names it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from tenants.permissions import Permission

P = Permission
ANYBODY: Final = "anybody"
MEMBERS: Final = "members"  # whoever is signed in
NOBODY: Final = "nobody"
Asked = P | Literal["anybody", "members", "nobody"]
WRITES: Final = "POST PUT PATCH DELETE"
_ALL: Final = f"GET {WRITES}"


@dataclass(frozen=True)
class Rule:
    """What an address asks of whoever uses these methods on it."""

    methods: str
    address: str
    asks: Asked
    also: P | None = None  # what it asks for besides

    def fits(self, method: str, address: str) -> bool:
        pattern = re.escape(self.address).replace(r"\*", "[^/]+")
        return method in self.methods.split() and re.fullmatch(pattern, address) is not None


def pages(address: str, *, read: P, write: P | None = None) -> list[Rule]:
    """The pages that Django's admin gives every model; what a model doesn't offer is refused to everybody."""
    change: Asked = write or NOBODY
    return [
        Rule("GET POST", f"{address}", read),  # a bulk action asks again for each
        Rule("GET POST", f"{address}add/", change),
        Rule("GET", f"{address}*/change/", read),
        Rule("POST", f"{address}*/change/", change),
        Rule("GET POST", f"{address}*/delete/", change),
        Rule("GET POST", f"{address}*/history/", read, also=P.AUDIT_READ),
        Rule("GET POST", f"{address}*/", MEMBERS),  # leads to the row, which asks
    ]


def resource(address: str, *, read: P, write: P | None = None) -> list[Rule]:
    """A REST resource and its rows."""
    change: Asked = write or NOBODY
    return [
        Rule("GET", address, read),
        Rule(WRITES, address, change),
        Rule("GET", f"{address}/*", read),
        Rule(WRITES, f"{address}/*", change),
    ]


def registry(address: str) -> list[Rule]:
    """A registry, its entries, their drafts and versions."""
    return [
        *resource(address, read=P.AGENTS_READ, write=P.AGENTS_WRITE),
        Rule("POST", f"{address}/*/restore", P.AGENTS_WRITE),
        Rule("POST", f"{address}/*/validate", P.AGENTS_READ),
        Rule("POST", f"{address}/*/publish", P.AGENTS_PUBLISH),
        Rule("GET", f"{address}/*/diff", P.AGENTS_READ),
        Rule("GET", f"{address}/*/versions", P.AGENTS_READ),
        Rule("GET", f"{address}/*/versions/*", P.AGENTS_READ),
        Rule("POST", f"{address}/*/versions/*/restore", P.AGENTS_WRITE),
    ]


_OPEN: Final = [
    Rule(_ALL, "/healthz", ANYBODY),
    Rule(_ALL, "/readyz", ANYBODY),
    Rule("GET", "/.well-known/jwks.json", ANYBODY),
    Rule(_ALL, "/", ANYBODY),  # leads to the admin
    Rule("GET", "/api/openapi.json", ANYBODY),
    Rule("GET", "/api/docs", ANYBODY),
    Rule(_ALL, "/api/v1/", ANYBODY),  # nothing is there
    Rule(_ALL, "/v1/", ANYBODY),  # nor there
    Rule("GET POST", "/admin/login/", ANYBODY),
    Rule("GET POST", "/admin/login/second-factor/", MEMBERS),  # whoever has given their password, and isn't in yet
    Rule("GET POST", "/admin/login/*/", ANYBODY),
    Rule("GET POST", "/admin/login/*/*/", ANYBODY),
    Rule("POST", "/admin/login/sso/*/", ANYBODY),
    Rule("GET", "/admin/login/sso/*/callback/", ANYBODY),
    Rule("GET POST", "/admin/invitation/*/", ANYBODY),  # whoever has its link
    Rule("GET POST", "/admin/again/", MEMBERS),
    Rule("GET POST", "/admin/again/second-factor/", MEMBERS),
    Rule("GET POST", "/admin/second-factor/", MEMBERS),
    Rule("GET POST", "/admin/second-factor/*/", MEMBERS),
    Rule("GET POST", "/admin/second-factor/*/*/", MEMBERS),
    Rule("GET POST", "/admin/logout/", ANYBODY),
    Rule("GET POST", "/admin/jsi18n/", MEMBERS),
    Rule("GET POST", "/admin/", MEMBERS),
    Rule("GET POST", "/admin/search/", MEMBERS),
    Rule("GET POST", "/admin/toggle-sidebar/", MEMBERS),
    Rule("GET POST", "/admin/password_change/", MEMBERS),
    Rule("GET POST", "/admin/password_change/done/", MEMBERS),
    Rule("GET POST", "/admin/autocomplete/", NOBODY),  # no field of ours uses it
    Rule("GET POST", "/admin/r/*/*/", MEMBERS),
    Rule("GET POST", "/admin/seven", MEMBERS),  # the admin's own 404
    Rule("GET POST", "/admin/*/", MEMBERS),  # an app's page lists what one may see
]

# A company's own on its site, the operators' on theirs.
_FLAGS: Final = [
    Rule("POST", "/admin/flags/flag/try/", P.FLAGS_READ),
    Rule("POST", "/admin/flags/flag/*/try/", P.FLAGS_READ),
    Rule("GET POST", "/admin/flags/flag/*/kill/", P.FLAGS_WRITE),
    Rule("POST", "/admin/flags/flag/*/on/", P.FLAGS_WRITE),
    Rule("POST", "/admin/flags/flag/*/restore/", P.FLAGS_WRITE),
    *pages("/admin/flags/flag/", read=P.FLAGS_READ, write=P.FLAGS_WRITE),
    Rule("POST", "/api/v1/flags/*/evaluate", P.FLAGS_READ),
    Rule("POST", "/api/v1/flags/*/restore", P.FLAGS_WRITE),
    *resource("/api/v1/flags", read=P.FLAGS_READ, write=P.FLAGS_WRITE),
]

REGISTRIES: Final = ("agent", "prompt", "tool", "personality", "runtimeconfig")


def registry_pages(address: str) -> list[Rule]:
    """The pages of a registry's entries: drafts, versions, publishing."""
    return [
        Rule("POST", f"{address}*/check/", P.AGENTS_READ),  # says what is wrong with a form, keeps nothing
        Rule("GET", f"{address}*/versions/", P.AGENTS_READ),
        Rule("GET POST", f"{address}*/versions/*/return/", P.AGENTS_WRITE),
        Rule("GET POST", f"{address}*/publish/", P.AGENTS_PUBLISH),
        Rule("POST", f"{address}*/restore/", P.AGENTS_WRITE),
        *pages(address, read=P.AGENTS_READ, write=P.AGENTS_WRITE),
    ]


TENANT: Final = [
    *_OPEN,
    # agents
    Rule("GET", "/admin/agents/agent/*/playground/", P.CONVERSATIONS_WRITE),
    Rule("GET POST", "/admin/agents/agent/add/", P.AGENTS_PUBLISH),  # it is live at once
    Rule("GET POST", "/admin/agents/agent/from-parts/", P.AGENTS_WRITE),
    Rule("POST", "/admin/agents/agent/from-template/", P.AGENTS_PUBLISH),
    Rule("GET", "/admin/agents/agent/*/profile/", P.AGENTS_READ),
    Rule("POST", "/admin/agents/agent/*/profile/", P.AGENTS_WRITE),
    Rule("POST", "/admin/agents/agent/*/configure/", P.AGENTS_PUBLISH),
    Rule("GET POST", "/admin/agents/agent/*/end-canary/", P.AGENTS_PUBLISH),
    Rule("GET POST", "/admin/agents/agent/*/releases/new/", P.AGENTS_WRITE),
    Rule("GET", "/admin/agents/agent/*/releases/new/parts/*/", P.AGENTS_WRITE),
    Rule("GET", "/admin/agents/agent/*/releases/*/", P.AGENTS_READ),
    *(
        Rule("GET POST", f"/admin/agents/agent/*/releases/*/{deed}/", P.AGENTS_PUBLISH)
        for deed in ("go-live", "canary", "roll-back")
    ),
    *(rule for kind in REGISTRIES for rule in registry_pages(f"/admin/agents/{kind}/")),
    *pages("/admin/agents/modelendpoint/", read=P.SECRETS_READ, write=P.SECRETS_WRITE),
    *registry("/api/v1/prompts"),
    Rule("POST", "/api/v1/prompts/*/render", P.AGENTS_READ),
    Rule("PUT DELETE", "/api/v1/contacts/*/tool-credentials/*", P.SECRETS_WRITE),
    Rule("POST", "/api/v1/tools/mcp-listing", P.AGENTS_PUBLISH),
    Rule("POST", "/api/v1/tools/*/pin", P.AGENTS_PUBLISH),
    *registry("/api/v1/tools"),
    *registry("/api/v1/personalities"),
    *registry("/api/v1/runtime-configs"),
    *registry("/api/v1/agents"),
    Rule("GET", "/api/v1/agents/*/releases", P.AGENTS_READ),
    Rule("POST", "/api/v1/agents/*/releases", P.AGENTS_WRITE),
    Rule("GET", "/api/v1/releases/*", P.AGENTS_READ),
    Rule("GET", "/api/v1/releases/*/diff", P.AGENTS_READ),
    Rule("POST", "/api/v1/releases/*/go-live", P.AGENTS_PUBLISH),
    Rule("POST", "/api/v1/releases/*/rollback", P.AGENTS_PUBLISH),
    Rule("PUT DELETE", "/api/v1/releases/*/canary", P.AGENTS_PUBLISH),
    Rule("GET", "/admin/agents/testcase/release/*/", P.AGENTS_READ),
    Rule("POST", "/admin/agents/testcase/release/*/run/", P.AGENTS_WRITE),
    Rule("GET", "/admin/agents/testcase/runs/*/progress/", P.AGENTS_READ),
    Rule("POST", "/admin/agents/testcase/runs/*/cancel/", P.AGENTS_WRITE),
    Rule("POST", "/admin/agents/testcase/*/restore/", P.AGENTS_WRITE),
    *pages("/admin/agents/testcase/", read=P.AGENTS_READ, write=P.AGENTS_WRITE),
    Rule("POST", "/api/v1/releases/*/test-runs", P.AGENTS_WRITE),
    *resource("/api/v1/test-cases", read=P.AGENTS_READ, write=P.AGENTS_WRITE),
    Rule("POST", "/api/v1/test-cases/*/restore", P.AGENTS_WRITE),
    *resource("/api/v1/test-runs", read=P.AGENTS_READ),
    Rule("GET", "/api/v1/test-runs/*/results", P.AGENTS_READ),
    Rule("GET", "/api/v1/test-runs/*/compare", P.AGENTS_READ),
    Rule("POST", "/api/v1/test-runs/*/cancel", P.AGENTS_WRITE),
    Rule("GET", "/api/v1/config", P.AGENTS_READ),
    Rule("POST", "/api/v1/config/diff", P.AGENTS_READ),
    Rule("POST", "/api/v1/config/apply", P.AGENTS_PUBLISH),
    *resource("/api/v1/endpoints", read=P.SECRETS_READ, write=P.SECRETS_WRITE),
    # knowledge
    Rule("GET", "/admin/knowledge/document/progress/", P.KNOWLEDGE_READ),
    Rule("POST", "/admin/knowledge/document/*/retry/", P.KNOWLEDGE_WRITE),
    Rule("GET POST", "/admin/knowledge/document/*/change/", P.KNOWLEDGE_READ),  # a page, no form
    *pages("/admin/knowledge/document/", read=P.KNOWLEDGE_READ, write=P.KNOWLEDGE_WRITE),
    *pages("/admin/knowledge/collection/", read=P.KNOWLEDGE_READ, write=P.KNOWLEDGE_WRITE),
    Rule("GET", "/api/v1/documents/*/file", P.KNOWLEDGE_READ),
    Rule("POST", "/api/v1/documents/*/retry", P.KNOWLEDGE_WRITE),
    *resource("/api/v1/documents", read=P.KNOWLEDGE_READ, write=P.KNOWLEDGE_WRITE),
    *resource("/api/v1/collections", read=P.KNOWLEDGE_READ, write=P.KNOWLEDGE_WRITE),
    Rule("POST", "/api/v1/search", P.KNOWLEDGE_READ),
    Rule("GET", "/documents/*/pages/*", P.KNOWLEDGE_READ),
    Rule("GET", "/documents/*/pages/*/image", P.KNOWLEDGE_READ),
    Rule("GET", "/documents/*/original", P.KNOWLEDGE_READ),
    # conversations
    Rule("GET POST", "/admin/conversations/conversation/*/change/", P.CONVERSATIONS_READ),  # a page, no form
    Rule("GET", "/admin/conversations/conversation/*/turns/*/", P.CONVERSATIONS_READ),
    Rule("POST", "/admin/conversations/conversation/*/turns/*/again/", P.CONVERSATIONS_WRITE),
    *pages("/admin/conversations/conversation/", read=P.CONVERSATIONS_READ),
    Rule("POST", "/api/v1/conversations", P.CONVERSATIONS_WRITE),
    Rule("GET", "/api/v1/conversations/*", P.CONVERSATIONS_READ),
    Rule("GET", "/api/v1/conversations/*/events", P.CONVERSATIONS_READ),
    Rule("GET", "/api/v1/conversations/*/messages", P.CONVERSATIONS_READ),
    Rule("POST", "/api/v1/conversations/*/messages", P.CONVERSATIONS_WRITE),
    Rule("GET", "/api/v1/conversations/*/turns/*", P.CONVERSATIONS_READ),
    Rule("DELETE", "/api/v1/conversations/*/turns/*", P.CONVERSATIONS_WRITE),
    Rule("GET POST", "/admin/voice_worker/voicesession/*/change/", P.CONVERSATIONS_READ),  # a page, no form
    Rule("GET", "/admin/voice_worker/voicesession/talk/*/", P.CONVERSATIONS_WRITE),
    Rule("GET", "/admin/voice_worker/voicesession/*/axis/", P.CONVERSATIONS_READ),
    Rule("GET", "/admin/voice_worker/voicesession/*/recording/", P.CONVERSATIONS_READ),
    *pages("/admin/voice_worker/voicesession/", read=P.CONVERSATIONS_READ),
    *resource("/api/v1/voice-sessions", read=P.CONVERSATIONS_READ),
    Rule("GET", "/api/v1/voice-sessions/*/timeline", P.CONVERSATIONS_READ),
    Rule("GET", "/api/v1/meetings", P.CONVERSATIONS_READ),
    Rule("POST", "/api/v1/meetings", P.CONVERSATIONS_WRITE),
    Rule("GET", "/api/v1/meetings/*", P.CONVERSATIONS_READ),
    Rule("GET", "/api/v1/meetings/*/participants", P.CONVERSATIONS_READ),
    Rule("POST", "/api/v1/meetings/*/tokens", P.CONVERSATIONS_WRITE),
    Rule("POST", "/api/v1/meetings/*/end", P.CONVERSATIONS_WRITE),
    Rule("POST", "/api/v1/meetings/*/state", ANYBODY),  # who has the token that lets them in
    Rule("GET", "/meet/*", ANYBODY),  # an empty page, which asks the API
    Rule("POST", "/admin/desk/lead/*/change/", P.CONVERSATIONS_WRITE),
    *pages("/admin/desk/lead/", read=P.CONVERSATIONS_READ),
    *resource("/api/v1/leads", read=P.CONVERSATIONS_READ, write=P.CONVERSATIONS_WRITE),
    Rule("POST", "/admin/desk/reservation/*/change/", P.CONVERSATIONS_WRITE),
    *pages("/admin/desk/reservation/", read=P.CONVERSATIONS_READ),
    *resource("/api/v1/reservations", read=P.CONVERSATIONS_READ, write=P.CONVERSATIONS_WRITE),
    *pages("/admin/desk/reservationcalendar/", read=P.AGENTS_READ, write=P.AGENTS_WRITE),
    *resource("/api/v1/reservation-calendars", read=P.AGENTS_READ, write=P.AGENTS_WRITE),
    Rule("GET POST", "/admin/agents/contactfact/*/delete/", P.CONVERSATIONS_WRITE),
    *pages("/admin/agents/contactfact/", read=P.CONVERSATIONS_READ),
    Rule("GET POST", "/admin/agents/contactconsent/*/delete/", P.CONVERSATIONS_WRITE),
    *pages("/admin/agents/contactconsent/", read=P.CONVERSATIONS_READ),
    Rule("GET POST", "/admin/agents/conversationsummary/*/delete/", P.CONVERSATIONS_WRITE),
    *pages("/admin/agents/conversationsummary/", read=P.CONVERSATIONS_READ),
    *resource("/api/v1/contact-consents", read=P.CONVERSATIONS_READ, write=P.CONVERSATIONS_WRITE),
    *resource("/api/v1/contact-facts", read=P.CONVERSATIONS_READ, write=P.CONVERSATIONS_WRITE),
    *resource("/api/v1/conversation-summaries", read=P.CONVERSATIONS_READ, write=P.CONVERSATIONS_WRITE),
    Rule("POST", "/api/v1/contact-memory/forget", P.CONVERSATIONS_WRITE),
    Rule("POST", "/v1/chat/completions", P.CONVERSATIONS_WRITE),
    Rule("GET", "/v1/models", P.CONVERSATIONS_WRITE),
    Rule("GET", "/v1/models/*", P.CONVERSATIONS_WRITE),
    # usage
    *pages("/admin/billing/usageevent/", read=P.USAGE_READ),
    Rule("GET", "/api/v1/usage", P.USAGE_READ),
    Rule("GET", "/api/v1/limits", P.USAGE_READ),
    # flags
    *_FLAGS,
    # the audit trail
    Rule("GET POST", "/admin/audit/auditevent/export/", P.AUDIT_READ),
    Rule("GET POST", "/admin/audit/auditevent/*/change/", P.AUDIT_READ),  # a page, no form
    *pages("/admin/audit/auditevent/", read=P.AUDIT_READ),
    Rule("GET", "/api/v1/audit", P.AUDIT_READ),
    Rule("GET", "/api/v1/audit/*", P.AUDIT_READ),
    # people and programs
    Rule("POST", "/api/v1/members/*/reset-second-factor", P.MEMBERS_WRITE),
    *resource("/api/v1/members/*/grants", read=P.MEMBERS_READ, write=P.MEMBERS_WRITE),
    *resource("/api/v1/members", read=P.MEMBERS_READ, write=P.MEMBERS_WRITE),
    *resource("/api/v1/invitations", read=P.MEMBERS_READ, write=P.MEMBERS_WRITE),
    Rule("GET", "/admin/staff/signinpolicy/", P.SETTINGS_READ),
    Rule("POST", "/admin/staff/signinpolicy/", P.SETTINGS_WRITE),
    Rule("POST", "/admin/staff/signinpolicy/*/change/", NOBODY),
    *pages("/admin/staff/signinpolicy/", read=P.SETTINGS_READ),
    *pages("/admin/staff/ssoconnection/", read=P.SETTINGS_READ, write=P.SETTINGS_WRITE),
    Rule("GET POST", "/admin/staff/user/*/password/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/user/*/grants/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/user/*/grants/*/revoke/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/user/*/second-factor/reset/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/invitation/*/revoke/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/invitation/*/change/", NOBODY),
    *pages("/admin/staff/invitation/", read=P.MEMBERS_READ, write=P.MEMBERS_WRITE),
    *pages("/admin/staff/user/", read=P.MEMBERS_READ, write=P.MEMBERS_WRITE),
    Rule("POST", "/admin/tenants/apikey/*/revoke/", P.KEYS_WRITE),
    Rule("GET POST PUT PATCH DELETE", "/admin/tenants/apikey/*/rotate/", P.KEYS_WRITE),
    Rule("POST", "/admin/tenants/apikey/*/change/", NOBODY),
    *pages("/admin/tenants/apikey/", read=P.KEYS_READ, write=P.KEYS_WRITE),
    Rule("POST", "/api/v1/tokens", P.TOKENS_MINT),
    Rule("POST", "/admin/origins/allowedorigin/*/change/", NOBODY),
    *pages("/admin/origins/allowedorigin/", read=P.SETTINGS_READ, write=P.SETTINGS_WRITE),
    *resource("/api/v1/allowed-origins", read=P.SETTINGS_READ, write=P.SETTINGS_WRITE),
    *pages("/admin/tokens/tokenissuer/", read=P.SETTINGS_READ, write=P.SETTINGS_WRITE),
    *resource("/api/v1/token-issuers", read=P.SETTINGS_READ, write=P.SETTINGS_WRITE),
    *pages("/admin/vault/secret/", read=P.SECRETS_READ, write=P.SECRETS_WRITE),
    *resource("/api/v1/secrets", read=P.SECRETS_READ, write=P.SECRETS_WRITE),
    Rule("POST", "/api/v1/api-keys/*/rotate", P.KEYS_WRITE),
    *resource("/api/v1/api-keys", read=P.KEYS_READ, write=P.KEYS_WRITE),
]

PLATFORM: Final = [
    *_OPEN,
    Rule("POST", "/webhooks/livekit", NOBODY),  # a LiveKit server signs what it tells
    Rule("POST", "/admin/directory/phonenumber/*/change/", NOBODY),
    *pages("/admin/directory/phonenumber/", read=P.TENANTS_READ, write=P.TENANTS_WRITE),
    *resource("/api/v1/phone-numbers", read=P.TENANTS_READ, write=P.TENANTS_WRITE),
    # for keys of the scope worker:operate, which nobody signs in with
    Rule(_ALL, "/api/v1/worker/", ANYBODY),  # nothing is there
    Rule("GET", "/api/v1/worker/*", NOBODY),
    Rule("POST", "/api/v1/worker/*", NOBODY),
    Rule("POST", "/api/v1/worker/*/*", NOBODY),
    Rule(_ALL, "/trpc/*", NOBODY),
    *_FLAGS,
    Rule("GET POST", "/admin/tenants/tenant/*/change/", P.TENANTS_READ),  # a page, no form
    Rule("GET", "/admin/staff/signinpolicy/", P.SETTINGS_READ),
    Rule("POST", "/admin/staff/signinpolicy/", P.SETTINGS_WRITE),
    Rule("POST", "/admin/staff/signinpolicy/*/change/", NOBODY),
    *pages("/admin/staff/signinpolicy/", read=P.SETTINGS_READ),
    *pages("/admin/staff/ssoconnection/", read=P.SETTINGS_READ, write=P.SETTINGS_WRITE),
    Rule("GET POST", "/admin/staff/user/*/password/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/user/*/grants/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/user/*/grants/*/revoke/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/user/*/second-factor/reset/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/invitation/*/revoke/", P.MEMBERS_WRITE),
    Rule("POST", "/admin/staff/invitation/*/change/", NOBODY),
    *pages("/admin/staff/invitation/", read=P.MEMBERS_READ, write=P.MEMBERS_WRITE),
    *pages("/admin/staff/user/", read=P.MEMBERS_READ, write=P.MEMBERS_WRITE),
    Rule("POST", "/admin/tenants/tenant/*/invite/", P.TENANTS_WRITE),
    Rule("POST", "/admin/tenants/tenant/*/suspend/", P.TENANTS_WRITE),
    Rule("POST", "/admin/tenants/tenant/*/resume/", P.TENANTS_WRITE),
    Rule("POST", "/admin/tenants/tenant/*/end/", P.TENANTS_WRITE),
    Rule("POST", "/admin/tenants/tenant/*/restore/", P.TENANTS_WRITE),
    Rule("POST", "/admin/tenants/tenant/*/notes/", P.TENANTS_WRITE),
    Rule("POST", "/admin/tenants/tenant/*/domains/", P.TENANTS_WRITE),
    Rule("POST", "/admin/tenants/tenant/*/domains/*/remove/", P.TENANTS_WRITE),
    *pages("/admin/tenants/tenant/", read=P.TENANTS_READ, write=P.TENANTS_WRITE),
    *[Rule("POST", f"/api/v1/tenants/*/{act}", P.TENANTS_WRITE) for act in ("suspend", "resume", "restore", "domains")],
    Rule("DELETE", "/api/v1/tenants/*/domains/*", P.TENANTS_WRITE),
    *resource("/api/v1/tenants", read=P.TENANTS_READ, write=P.TENANTS_WRITE),
    Rule("POST", "/api/v1/api-keys/*/rotate", P.KEYS_WRITE),
    *resource("/api/v1/api-keys", read=P.KEYS_READ, write=P.KEYS_WRITE),
    Rule("GET POST", "/admin/audit/auditevent/export/", P.AUDIT_READ),
    Rule("GET POST", "/admin/audit/auditevent/*/change/", P.AUDIT_READ),  # a page, no form
    *pages("/admin/audit/auditevent/", read=P.AUDIT_READ),
    Rule("GET", "/api/v1/audit", P.AUDIT_READ),
    Rule("GET", "/api/v1/audit/*", P.AUDIT_READ),
]
# What Django's pages offer and ours don't: these ask for a permission nobody has.
NEVER: Final = frozenset(
    {
        "/admin/staff/user/*/delete/",
        "/admin/staff/invitation/*/delete/",
        "/admin/tenants/apikey/*/delete/",
        "/admin/tenants/tenant/*/delete/",
    }
)
