"""What is heard behind the voice: an ambience, and a sound while the agent thinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from livekit.agents import AudioConfig, BackgroundAudioPlayer, BuiltinAudioClip

if TYPE_CHECKING:
    from livekit import rtc
    from livekit.agents import AgentSession

    from agents.content.runtime import BackgroundAudio

_CLIPS: Final = {
    "city": BuiltinAudioClip.CITY_AMBIENCE,
    "forest": BuiltinAudioClip.FOREST_AMBIENCE,
    "office": BuiltinAudioClip.OFFICE_AMBIENCE,
    "crowd": BuiltinAudioClip.CROWDED_ROOM,
    "music": BuiltinAudioClip.HOLD_MUSIC,
    "keyboard": BuiltinAudioClip.KEYBOARD_TYPING,
}


async def play_behind(
    session: AgentSession[Any], room: rtc.Room, wanted: BackgroundAudio
) -> BackgroundAudioPlayer | None:
    """Play what a release wants behind its voice, until the player that this returns is closed; None: nothing."""
    ambience, thinking = _CLIPS.get(wanted.ambience), _CLIPS.get(wanted.thinking)
    if not wanted.volume or (ambience is None and thinking is None):
        return None
    player = BackgroundAudioPlayer(
        ambient_sound=AudioConfig(ambience, volume=wanted.volume) if ambience else None,
        thinking_sound=AudioConfig(thinking, volume=wanted.volume) if thinking else None,
    )
    await player.start(room=room, agent_session=session)
    return player
