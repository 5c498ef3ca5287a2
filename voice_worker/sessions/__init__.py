"""One agent with ears and a voice: what is said becomes turns of the conversation, and their answers are spoken."""
