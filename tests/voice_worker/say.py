"""`python -m tests.voice_worker.say TEXT VOICE`: a text as espeak-ng says it first of all, to standard output.

What the library says sways in its pitch, from one text to the next: in a process of its own a text always sounds the
same, and is heard the same way. First comes the sample rate, four bytes, then PCM16, mono.
"""

from __future__ import annotations

import sys

from voice_worker.speech_server.espeak import Espeak

if __name__ == "__main__":
    espeak = Espeak()
    sys.stdout.buffer.write(espeak.rate.to_bytes(4, "big") + espeak.speak(sys.argv[1], voice=sys.argv[2]))
