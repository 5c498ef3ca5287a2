"""Voice and vision: LiveKit rooms, the worker behind `manage.py run_voice_worker`, and the audio websocket."""
