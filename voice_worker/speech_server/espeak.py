"""espeak-ng by its C library: text in, samples out. One call at a time in a process, for it is not re-entrant."""

from __future__ import annotations

import ctypes
from pathlib import Path

import espeakng_loader

MOST_CHARACTERS = 600  # in one call; a sentence is far shorter
_SYNCHRONOUS = 2
_UTF8 = 1
_CHARACTERS = 1  # what a position counts
_RATE = 1  # which parameter
_WORDS_PER_MINUTE = 175
_SLOWEST, _FASTEST = 80, 450  # words a minute that the library knows how to speak

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class VoiceUnknown(Exception):
    """espeak-ng has no voice of this name."""


class Espeak:
    """The library, made ready. Make one in a process.

    Raises:
        RuntimeError: the library or its data is not there.
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(Path(espeakng_loader.get_data_path()))
        self.rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), 0)
        if self.rate <= 0:
            raise RuntimeError("espeak-ng does not start")
        self._pieces: list[bytes] = []
        self._callback = _Callback(self._heard)  # kept, for the library keeps no reference to it
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def speak(self, text: str, *, voice: str = "en-us", speed: float = 1.0) -> bytes:
        """The text spoken: PCM16, mono, at `rate`.

        Args:
            voice: a language (`de`, `en-us`, `pt-br`), with a variant if wanted (`de+f3`).
            speed: 1.0 is 175 words a minute.

        Raises:
            VoiceUnknown: by that name.
        """
        if voice != self._voice:
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise VoiceUnknown(voice)
            self._voice = voice
        words = max(_SLOWEST, min(_FASTEST, round(_WORDS_PER_MINUTE * speed)))
        self._library.espeak_SetParameter(_RATE, words, 0)
        # NUL would end the text, and lone surrogates are no UTF-8.
        encoded = text[:MOST_CHARACTERS].replace("\0", " ").encode("utf-8", errors="replace")
        self._pieces.clear()
        size = ctypes.c_size_t(len(encoded) + 1)
        if self._library.espeak_Synth(encoded, size, 0, _CHARACTERS, 0, _UTF8, None, None) != 0:
            raise RuntimeError("espeak-ng failed on a text")
        return b"".join(self._pieces)

    def _heard(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if count > 0 and samples:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0
