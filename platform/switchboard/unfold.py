"""How the two admins look and what stands in their sidebars (django-unfold's settings)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

from tenants.permissions import Permission, allows

# Petrol on cool greys. Text and buttons keep 4.5:1 in both modes: 600 carries white text and is the link colour on
# white, 500 is the link colour on 900.
_COLORS: Final = {
    "base": {
        "50": "oklch(98.4% .003 215)",
        "100": "oklch(96.3% .005 215)",
        "200": "oklch(92% .008 215)",
        "300": "oklch(86.5% .012 215)",
        "400": "oklch(72% .02 218)",
        "500": "oklch(53.5% .024 220)",
        "600": "oklch(43.5% .026 222)",
        "700": "oklch(36% .028 224)",
        "800": "oklch(27% .026 226)",
        "900": "oklch(20.5% .024 228)",
        "950": "oklch(14.5% .02 230)",
    },
    "primary": {
        "50": "oklch(97.5% .015 195)",
        "100": "oklch(94% .03 195)",
        "200": "oklch(88.5% .055 196)",
        "300": "oklch(81% .08 197)",
        "400": "oklch(75% .1 198)",
        "500": "oklch(68% .105 200)",
        "600": "oklch(49.5% .085 208)",
        "700": "oklch(43% .075 210)",
        "800": "oklch(37% .062 212)",
        "900": "oklch(31% .05 214)",
        "950": "oklch(23% .04 216)",
    },
}


def company(request: HttpRequest) -> str:
    """The name on the door: the tenant's, which stands on its sign-in page too."""
    return str(getattr(getattr(request, "tenant", None), "name", "") or "Switchboard")


def _may(permission: Permission) -> Callable[[HttpRequest], bool]:
    return lambda request: allows(request.user, permission)


def _item(title: str, icon: str, url_name: str, permission: Permission | None = None) -> dict[str, Any]:
    """A line of the sidebar, for whoever has the permission that its page asks for."""
    shown = {"permission": _may(permission)} if permission else {}
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{url_name}"), **shown}


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": bool(title), "items": list(items)}


_SHARED: Final[dict[str, Any]] = {
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("switchboard/logo.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("switchboard/favicon.svg")}
    ],
    "ACCOUNT": {"navigation": [{"title": "Second factor", "link": reverse_lazy("mfa_index")}]},
    "SHOW_HISTORY": _may(Permission.AUDIT_READ),
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": _COLORS,
    "STYLES": [lambda request: static("switchboard/admin.css"), lambda request: static("switchboard/registries.css")],
}

UNFOLD: Final[dict[str, Any]] = {
    **_SHARED,
    "SITE_TITLE": company,
    "SITE_HEADER": company,
    "SITE_SUBHEADER": "Switchboard",
    "DASHBOARD_CALLBACK": "conversations.home.staff_home",
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": [
            _group("", _item("Home", "home", "index")),
            _group(
                "Agents",
                _item("Agents", "smart_toy", "agents_agent_changelist", Permission.AGENTS_READ),
                _item("Prompts", "notes", "agents_prompt_changelist", Permission.AGENTS_READ),
                _item("Personalities", "theater_comedy", "agents_personality_changelist", Permission.AGENTS_READ),
                _item("Runtime configs", "tune", "agents_runtimeconfig_changelist", Permission.AGENTS_READ),
                _item("Tools", "build", "agents_tool_changelist", Permission.AGENTS_READ),
                _item("Test cases", "checklist", "agents_testcase_changelist", Permission.AGENTS_READ),
                _item("Model endpoints", "hub", "agents_modelendpoint_changelist", Permission.SECRETS_READ),
                _item("Feature flags", "flag", "flags_flag_changelist", Permission.FLAGS_READ),
            ),
            _group(
                "Knowledge",
                _item("Documents", "description", "knowledge_document_changelist", Permission.KNOWLEDGE_READ),
                _item("Collections", "folder_open", "knowledge_collection_changelist", Permission.KNOWLEDGE_READ),
            ),
            _group(
                "Conversations",
                _item("Conversations", "forum", "conversations_conversation_changelist", Permission.CONVERSATIONS_READ),
                _item(
                    "Voice sessions",
                    "graphic_eq",
                    "voice_worker_voicesession_changelist",
                    Permission.CONVERSATIONS_READ,
                ),
                _item("Leads", "person_add", "desk_lead_changelist", Permission.CONVERSATIONS_READ),
                _item("Reservations", "event_seat", "desk_reservation_changelist", Permission.CONVERSATIONS_READ),
                _item("Calendars", "calendar_month", "desk_reservationcalendar_changelist", Permission.AGENTS_READ),
                _item("Facts", "person_pin", "agents_contactfact_changelist", Permission.CONVERSATIONS_READ),
                _item("Consents", "handshake", "agents_contactconsent_changelist", Permission.CONVERSATIONS_READ),
                _item("Summaries", "history", "agents_conversationsummary_changelist", Permission.CONVERSATIONS_READ),
                _item("Usage", "monitoring", "billing_usageevent_changelist", Permission.USAGE_READ),
            ),
            _group(
                "Company",
                _item("Team", "group", "staff_user_changelist", Permission.MEMBERS_READ),
                _item("API keys", "key", "tenants_apikey_changelist", Permission.KEYS_READ),
                _item("Audit trail", "history", "audit_auditevent_changelist", Permission.AUDIT_READ),
                _item("Secrets", "lock", "vault_secret_changelist", Permission.SECRETS_READ),
                _item("Allowed origins", "public", "origins_allowedorigin_changelist", Permission.SETTINGS_READ),
                _item("Token issuers", "badge", "tokens_tokenissuer_changelist", Permission.SETTINGS_READ),
                _item("Single sign-on", "key_vertical", "staff_ssoconnection_changelist", Permission.SETTINGS_READ),
                _item("Sign-in", "shield_lock", "staff_signinpolicy_changelist", Permission.SETTINGS_READ),
            ),
        ],
    },
}

UNFOLD_OPERATORS: Final[dict[str, Any]] = {
    **_SHARED,
    "SITE_TITLE": "Switchboard",
    "SITE_HEADER": "Switchboard",
    "SITE_SUBHEADER": "Operators",
    "DASHBOARD_CALLBACK": "tenants.home.operators_home",
    "SIDEBAR": {
        "show_search": False,
        "navigation": [
            _group(
                "",
                _item("Home", "home", "index"),
                _item("Tenants", "domain", "tenants_tenant_changelist", Permission.TENANTS_READ),
                _item("Phone numbers", "call", "directory_phonenumber_changelist", Permission.TENANTS_READ),
                _item("Feature flags", "flag", "flags_flag_changelist", Permission.FLAGS_READ),
                _item("Operators", "group", "staff_user_changelist", Permission.MEMBERS_READ),
                _item("Single sign-on", "key_vertical", "staff_ssoconnection_changelist", Permission.SETTINGS_READ),
                _item("Sign-in", "shield_lock", "staff_signinpolicy_changelist", Permission.SETTINGS_READ),
                _item("Audit trail", "history", "audit_auditevent_changelist", Permission.AUDIT_READ),
            )
        ],
    },
}
