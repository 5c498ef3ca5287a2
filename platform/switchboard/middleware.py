"""Django's middleware, kept off the data plane.

Each sync middleware costs a request two thread hops under ASGI. The data plane (tokens, turns, streams) signs its
callers in by itself and shows no forms, so it passes these by; the control plane and the admin get them unchanged.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.middleware import clickjacking, common, csrf, security
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware as WhiteNoise

from switchboard.kernel.page_policies import content_policy, permissions_policy
from switchboard.kernel.problems import CONTENT_TYPE, OPENAI_PATHS, WORKER_PATHS, Problem, generic_problem, refusal
from switchboard.kernel.request_id import HEADER, request_id_from, set_request_id

DATA_PLANE: Final = (
    "/api/v1/conversations",
    "/api/v1/search",
    "/api/v1/meetings",
    "/webhooks/",
    OPENAI_PATHS,
    "/healthz",
    "/readyz",
    *WORKER_PATHS,
)
# Sign-in pages stand in the admin's frame too, which is unfold's: its Alpine.js makes functions of attributes.
_ADMIN: Final = content_policy(script="'self' 'unsafe-eval'")
_ELSEWHERE: Final = content_policy()
_NO_DEVICES: Final = permissions_policy()


def is_data_plane(path: str) -> bool:
    """Whether a path is one of the data plane's."""
    return path.startswith(DATA_PLANE)


@sync_and_async_middleware
def request_ids(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Give each request an id, its caller's own where that has the shape of one, and send it back."""

    def begin(request: HttpRequest) -> str:
        request_id = request_id_from(request.headers.get(HEADER))
        set_request_id(request_id)
        return request_id

    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> Any:
            # Not taken back: the task of the request ends with it, and a streamed answer goes on in the same task.
            request_id = begin(request)
            response = await get_response(request)
            response[HEADER] = request_id
            return response

        return answer_async

    def answer(request: HttpRequest) -> Any:
        request_id = begin(request)
        try:
            response = get_response(request)
        finally:
            set_request_id("")
        response[HEADER] = request_id
        return response

    return answer


def _afterwards(change: Callable[[HttpRequest, Any], Any]) -> Callable[..., Callable[[HttpRequest], Any]]:
    """A middleware that looks at what goes out, without a thread hop; `change` only computes."""

    @sync_and_async_middleware
    @functools.wraps(change)
    def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
        if iscoroutinefunction(get_response):

            async def answer_async(request: HttpRequest) -> Any:
                return change(request, await get_response(request))

            return answer_async

        def answer(request: HttpRequest) -> Any:
            return change(request, get_response(request))

        return answer

    return middleware


@_afterwards
def method_refusals(request: HttpRequest, response: Any) -> Any:
    """Django and Ninja refuse a method with a page; in the API that is a problem document like every other refusal."""
    if response.status_code != 405 or not request.path.startswith(("/api/", OPENAI_PATHS)):
        return response
    if response["Content-Type"] == CONTENT_TYPE:
        return response
    allowed = response.get("Allow", "")
    detail = f"{request.method} isn't taken here; {allowed or 'nothing'} is."
    return refusal(request, Problem("method_not_allowed", detail, status=405, headers={"Allow": allowed}))


@_afterwards
def page_policies(request: HttpRequest, response: Any) -> Any:
    """Say with every page what it may do in a browser, unless its view has said so."""
    if not response.get("Content-Type", "").startswith("text/html"):
        return response
    # Django's own pages about an error, which only developers see, fold what they show by scripts within.
    if not (settings.DEBUG and response.status_code in (404, 500)):
        response.setdefault("Content-Security-Policy", _ADMIN if request.path.startswith("/admin/") else _ELSEWHERE)
    response.setdefault("Permissions-Policy", _NO_DEVICES)
    return response


class ControlPlaneOnly:
    """Mixed into a middleware: requests of the data plane go straight on."""

    get_response: Callable[[HttpRequest], Any]

    def __call__(self, request: HttpRequest) -> Any:
        if is_data_plane(request.path):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class SecurityMiddleware(ControlPlaneOnly, security.SecurityMiddleware):
    pass


class SessionMiddleware(ControlPlaneOnly, sessions.SessionMiddleware):
    pass


class CommonMiddleware(ControlPlaneOnly, common.CommonMiddleware):
    pass


class AuthenticationMiddleware(ControlPlaneOnly, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(ControlPlaneOnly, messages.MessageMiddleware):
    pass


class XFrameOptionsMiddleware(ControlPlaneOnly, clickjacking.XFrameOptionsMiddleware):
    pass


class CsrfViewMiddleware(ControlPlaneOnly, csrf.CsrfViewMiddleware):
    # A coroutine, so that Django calls it without a thread hop; the check itself only computes.
    async def process_view(  # type: ignore[override]
        self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any
    ) -> HttpResponse | None:
        if is_data_plane(request.path):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class WhiteNoiseMiddleware(WhiteNoise):  # type: ignore[misc]
    """WhiteNoise is sync; here it is asked only for what is under /static/."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if not self.is_async:
            return super().__call__(request)
        return self._respond(request)

    async def _respond(self, request: HttpRequest) -> Any:
        if request.path.startswith(self.static_prefix):
            response = await sync_to_async(self._serve_or_404, thread_sensitive=False)(request)
            # Styles, scripts and fonts are small: whole in memory is simpler than piece by piece.
            return _whole(response) if response.streaming else response
        return await self.get_response(request)

    def _serve_or_404(self, request: HttpRequest) -> HttpResponse:
        static_file = self.find_file(request.path_info) if self.autorefresh else self.files.get(request.path_info)
        return self.serve(static_file, request) if static_file is not None else generic_problem(404)


def _whole(response: Any) -> HttpResponse:
    content = b"".join(response.streaming_content)
    whole = HttpResponse(content, status=response.status_code, headers=response.headers)
    # WhiteNoise remembers lengths from its start; the file may have been replaced since.
    whole["Content-Length"] = str(len(content))
    response.close()
    return whole
