"""The worker behind `manage.py run_voice_worker`: LiveKit gives it rooms, each gets a process and an agent."""
