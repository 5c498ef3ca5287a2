"""What a tenant may use that costs more: by its service tier, and by a flag that is on for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tenants.context import current_tenant
from tenants.flags.current import is_enabled_async
from tenants.flags.evaluation import NO_CONTEXT, Context

PREMIUM_TIERS: Final = frozenset({"premium", "enterprise"})
PREMIUM_VOICE_FLAG: Final = "premium_voice"


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What a tenant may use in one session.

    Args:
        tier: its service tier.
        premium_voice: whether the flag `premium_voice` is on for it.
    """

    tier: str = ""
    premium_voice: bool = False

    def refusal(self) -> str:
        """Why it may not use premium voices; empty where it may."""
        if self.tier not in PREMIUM_TIERS:
            return f"the service tier {self.tier or 'of the tenant'} doesn't include premium voices"
        return "" if self.premium_voice else f"the flag {PREMIUM_VOICE_FLAG} is off"


async def entitlements_of(context: Context = NO_CONTEXT) -> Entitlements:
    """What the tenant in force may use.

    Args:
        context: who talks to which agent, for flags that ask.

    Raises:
        TenantNotSet: outside any tenant.
    """
    tier = current_tenant().tier
    return Entitlements(tier=tier, premium_voice=await is_enabled_async(PREMIUM_VOICE_FLAG, context))
