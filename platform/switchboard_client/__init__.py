"""What a voice worker elsewhere asks Switchboard: whose room it is, what may be said, what it costs.

    async with Switchboard("https://switchboard.example", os.environ["AGENT_API_KEY"]) as switchboard:
        tenant = await switchboard.tenant_by_room(room)
        passages = await switchboard.search_knowledge("When is breakfast?", room=room)
        switchboard.track_cost(Cost("stt", "deepgram", "nova-3", cost_usd="0.0125"), room=room)

Nothing here raises because the platform is away: a call goes on with what it has. Questions are answered with None, an
empty list or False then; costs and events are kept in memory, and delivered once when it is back.
"""

from switchboard_client.client import Switchboard
from switchboard_client.interface import SwitchboardClient
from switchboard_client.values import Cost, Passage, Personality, Tenant, Untold

__all__ = ["Cost", "Passage", "Personality", "Switchboard", "SwitchboardClient", "Tenant", "Untold"]
