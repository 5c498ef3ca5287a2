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


class _Voice(ctypes.Structure):
    """`espeak_VOICE` of the library's header."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.POINTER(ctypes.c_char)),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("unused", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


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
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._languages = self._list_languages()
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
            self._choose(voice)
        words = max(_SLOWEST, min(_FASTEST, round(_WORDS_PER_MINUTE * speed)))
        self._library.espeak_SetParameter(_RATE, words, 0)
        # NUL would end the text, and lone surrogates are no UTF-8.
        encoded = text[:MOST_CHARACTERS].replace("\0", " ").encode("utf-8", errors="replace")
        self._pieces.clear()
        size = ctypes.c_size_t(len(encoded) + 1)
        if self._library.espeak_Synth(encoded, size, 0, _CHARACTERS, 0, _UTF8, None, None) != 0:
            raise RuntimeError("espeak-ng failed on a text")
        return b"".join(self._pieces)

    def _choose(self, voice: str) -> None:
        language, plus, variant = voice.lower().partition("+")
        # `de-at` is spoken as `de`, where there is no better.
        found = self._languages.get(language) or self._languages.get(language.partition("-")[0])
        self._voice = ""
        # The library says yes to some variants that it does not have, and speaks without them.
        if found is None or self._library.espeak_SetVoiceByName(f"{found}{plus}{variant}".encode()) != 0:
            raise VoiceUnknown(voice)
        self._voice = voice

    def _list_languages(self) -> dict[str, str]:
        """Which voice speaks each language best."""
        best: dict[str, tuple[int, str]] = {}
        voices = self._library.espeak_ListVoices(None)
        place = 0
        while voices[place]:
            voice = voices[place].contents
            place += 1
            # A list of languages: a byte that says how well, the name, a zero; after the last one another zero.
            at = 0
            while (priority := voice.languages[at][0]) != 0:
                name = bytearray()
                while (letter := voice.languages[at + 1 + len(name)]) != b"\0":
                    name += letter
                at += len(name) + 2
                language = name.decode("ascii", errors="replace").lower()
                candidate = (priority, voice.identifier.decode())
                best[language] = min(best.get(language, candidate), candidate)
        return {language: identifier for language, (_, identifier) in best.items()}

    def _heard(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if count > 0 and samples:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0
