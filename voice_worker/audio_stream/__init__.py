"""The audio websocket: a session without LiveKit, for any program with a microphone (docs/guides/audio-websocket.md).

`consumers` is all that a web process loads at its start; livekit-agents is loaded when somebody first speaks.
"""
