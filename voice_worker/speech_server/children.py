"""Child processes for the server's event loop: forked in 10 ms from a process that holds the models, ended at will."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import socket
from collections.abc import AsyncIterator
from typing import Any

from voice_worker.speech_server import frames
from voice_worker.speech_server.entry import run

_PRELOADED = "voice_worker.speech_server.preloaded"


class Full(Exception):
    """As many streams are heard as may be."""


class ChildGone(Exception):
    """A child ended before its time, or did not answer in time and was ended."""


class Child:
    """One process and the way to it."""

    def __init__(self, process: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process, self._reader, self._writer = process, reader, writer

    async def send(self, frame: bytes, *, within: float = 30.0) -> None:
        """Give it a frame, as soon as it has read most of what was given before.

        Raises:
            ChildGone: it ended, or takes nothing.
        """
        try:
            self._writer.write(frame)
            async with asyncio.timeout(within):
                await self._writer.drain()
        except (ConnectionError, TimeoutError) as error:
            raise ChildGone from error

    async def receive(self, *, within: float | None = None) -> tuple[bytes, bytes]:
        """Its next frame.

        Raises:
            ChildGone: there is none, in so many seconds.
        """
        try:
            async with asyncio.timeout(within):
                return await frames.receive(self._reader)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError) as error:
            raise ChildGone from error

    def end(self) -> None:
        """End it at once, whatever it does."""
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        # The process they are forked from collects it; what is left is this side's note of it.
        asyncio.get_running_loop().run_in_executor(None, self._process.join, 5)


class Children:
    """Where children come from. Use it from one event loop.

    Args:
        streams: how many may be at work for listeners at once.
    """

    def __init__(self, *, streams: int) -> None:
        self.streams = streams
        self.listening = 0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([_PRELOADED])
        self._forking = asyncio.Lock()

    async def start(self) -> None:
        """Load the models, and see that a child can be made.

        Raises:
            ChildGone: it can't.
        """
        child = await self.make()
        child.end()

    @contextlib.asynccontextmanager
    async def listener(self) -> AsyncIterator[Child]:
        """A child for one stream, ended with the block.

        Raises:
            Full: there are too many already.
            ChildGone: none can be made.
        """
        if self.listening >= self.streams:
            raise Full
        self.listening += 1
        try:
            child = await self.make()
            try:
                yield child
            finally:
                child.end()
        finally:
            self.listening -= 1

    async def make(self) -> Child:
        """A child for whatever its first frame tells it to do.

        Raises:
            ChildGone: none can be made.
        """
        for pause in (0.1, 0.4, 1.0):
            try:
                return await self._make()
            except (OSError, EOFError):
                # The process that holds the models was lost. Once it is quite gone, another one is started.
                await asyncio.sleep(pause)
        try:
            return await self._make()
        except (OSError, EOFError) as error:
            raise ChildGone from error

    async def _make(self) -> Child:
        ours, theirs = socket.socketpair()
        process = self._context.Process(target=run, args=(theirs,), daemon=True)
        try:
            async with self._forking:
                await asyncio.to_thread(process.start)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        return Child(process, reader, writer)
