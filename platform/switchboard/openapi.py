"""One OpenAPI document over both planes: the control plane's (drf-spectacular) and the data plane's (Ninja) in one."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from agents.api.contents import content_schemas
from switchboard.kernel.problems import OPENAI_PATHS
from switchboard.openapi_examples import add_examples

Document = dict[str, Any]

PREFIX: Final = "/api/v1/"
PROBLEM: Final = "application/problem+json"
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_VERBS: Final = frozenset({"create", "retrieve", "update", "destroy"})
_TAGS: Final = {
    "Conversations": "The data plane: talk with an agent; answers stream as events.",
    "Meetings": "The data plane: conversations by voice, in rooms of a LiveKit server.",
    "Search": "The data plane: passages of documents.",
    "Voice": "What agents heard, said and saw, on one time axis for each session.",
    "Remote workers": "For voice workers elsewhere, with a platform key of the scope `worker:operate`, on any host.",
    "Leads": "Who wants to hear from the company, as agents took them down.",
    "Reservations": "Room that agents keep for people, and the calendars that say when there is any.",
    "Chat completions": "The data plane in OpenAI's protocol: agents for whatever speaks to OpenAI.",
    "Agents": "Named assistants, of which releases say what they do.",
    "Prompts": "A registry: instructions, with variables that a release fills in.",
    "Tools": "A registry: what an agent can do besides talking.",
    "Personalities": "A registry: how an agent speaks.",
    "Runtime configs": "A registry: the models and devices that an agent runs on, and its limits.",
    "Releases": "What an agent does, fixed for ever, and which release is live.",
    "Tests": "What a release must be able to do, run in the background, compared with the release before.",
    "Endpoints": "Where language models are reached.",
    "Memory": "What agents remember of contacts and conversations: read, agreed to, erased.",
    "Configuration": "Configuration as code: all of it as one document.",
    "Collections": "Knowledge bases.",
    "Documents": "Uploaded files.",
    "Usage": "The ledger of what was used.",
    "API keys": "Keys for programs.",
    "Allowed origins": "Web pages from which the API may be called.",
    "Tokens": "For end users: minted here, or by an issuer of the company's own.",
    "Secrets": "What tools and endpoints sign in with elsewhere; written, never shown.",
    "Tenants": "On the platform's host alone: for operators and platform keys.",
    "Phone numbers": "On the platform's host alone: which company's agent answers a number.",
    "Members": "The company's staff: invited, given a role or single objects, removed.",
    "Audit": "Who changed what, and when.",
    "Flags": "Feature flags: what is on, for whom, and why. On the platform's host the operators', for all.",
}
_PROBLEM_SCHEMA: Final[Document] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "A URI reference that names the kind of problem."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; programs match on it."},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_WORDS: Final = {
    "400": "The request can't be read.",
    "401": "No caller, or one whose key is unknown, expired or revoked.",
    "403": "The caller may not do this.",
    "404": "There is no such thing here.",
    "406": "None of the accepted types can be given.",
    "409": "It can't be done in this state.",
    "412": "If-Match names an older state (`stale`).",
    "413": "The body is too large.",
    "415": "The body's type isn't taken.",
    "422": "Some fields can't be accepted.",
    "429": "Too many requests; Retry-After says when to come back.",
    "502": "The model that was asked failed.",
    "503": "Being set up, or a part is away; Retry-After says when to come back.",
}
_IDEMPOTENCY_KEY: Final[Document] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A request repeated under its key gets the first answer and does nothing twice. Kept for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 120, "pattern": "^[!-~]+$"},
}
_IF_MATCH: Final[Document] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that was last seen. The change is refused (412) if it isn't that any more.",
    "schema": {"type": "string"},
}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How drf-spectacular names our keys."""

    target_class = "tenants.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> Document:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of the company, or an end user's token.",
        }


@functools.cache
def document() -> Document:
    """The whole document, made once per process."""
    merged: Document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    merged = json.loads(json.dumps(merged))  # plain values, whatever the generators used
    _add_data_plane(merged)
    _add_platforms_own(merged)
    merged["components"]["schemas"].update(content_schemas())
    schemes = merged.setdefault("components", {}).setdefault("securitySchemes", {})
    merged["components"].setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    merged["security"] = [{name: []} for name in sorted(schemes)]
    used = set()
    _let_anything_be_anything(merged)
    _shorten_names(merged)
    for path, method, operation in operations(merged):
        _complete(path, method, operation)
        add_examples(merged, operation)
        used.update(operation.get("tags", []))
    merged["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items() if name in used]
    merged["servers"] = [{"url": "/"}]
    return merged


def operations(schema: Document) -> Iterator[tuple[str, str, Document]]:
    """Every operation of a document: its path, method and description."""
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, method, operation


def _add_data_plane(merged: Document) -> None:
    from conversations.api import data_plane
    from conversations.api.chat_completions import chat_completions
    from voice_worker.data_plane import voice_plane
    from voice_worker.remote.api import remote_workers

    _add_ninja(merged, data_plane.get_openapi_schema(path_prefix=PREFIX))
    _add_ninja(merged, voice_plane.get_openapi_schema(path_prefix=PREFIX))
    _add_ninja(merged, remote_workers.get_openapi_schema(path_prefix=f"{PREFIX}worker/"))
    _add_ninja(merged, chat_completions.get_openapi_schema(path_prefix=OPENAI_PATHS))


def _add_ninja(merged: Document, schema: Any) -> None:
    other = json.loads(json.dumps(schema, default=str))
    taken = merged["components"].setdefault("schemas", {})
    found_there = other.get("components", {}).get("schemas", {})
    # What two APIs of the data plane have in common, such as their problems, is one schema.
    renamed = {name: f"DataPlane{name}" for name, found in found_there.items() if taken.get(name, found) != found}
    text = json.dumps(other)
    for name, new in renamed.items():
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{new}"')
    other = json.loads(text)
    for name, found in other.get("components", {}).get("schemas", {}).items():
        taken[renamed.get(name, name)] = found
    for path, item in other["paths"].items():
        for method in _METHODS & item.keys():
            item[method].pop("security", None)
            operation = item[method]["operationId"].removeprefix("conversations_api_")
            operation = operation.removeprefix("voice_worker_")
            item[method]["operationId"] = operation.removeprefix("chat_completions_api_")
            item[method]["tags"] = [tag.capitalize() for tag in item[method].get("tags", [])]
        merged["paths"].setdefault(path, {}).update(item)


def _add_platforms_own(merged: Document) -> None:
    """What only the platform's host has. Its API keys are asked for in the same way as a tenant's."""
    generator = SchemaGenerator(urlconf="switchboard.urls_public")  # type: ignore[no-untyped-call]
    other = json.loads(json.dumps(generator.get_schema(request=None, public=True)))  # type: ignore[no-untyped-call]
    for name, schema in other.get("components", {}).get("schemas", {}).items():
        merged["components"]["schemas"].setdefault(name, schema)
    for path, item in other["paths"].items():
        merged["paths"].setdefault(path, item)


def _let_anything_be_anything(schema: Any) -> None:
    """Any JSON value "or null" says null twice, and so fits no `oneOf`: leave the choice out."""
    if isinstance(schema, dict):
        if {} in (choices := schema.get("oneOf", ())) and {"type": "null"} in choices:
            del schema["oneOf"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            _let_anything_be_anything(inner)


def _shorten_names(merged: Document) -> None:
    """An action is called by its own name: `flags_restore`, where the generator says `flags_restore_create`."""
    taken = {operation["operationId"] for _, _, operation in operations(merged)}
    for path, _, operation in operations(merged):
        action = path.rpartition("/")[2].replace("-", "_")
        shorter, _, verb = operation["operationId"].rpartition("_")
        if verb in _VERBS and shorter.endswith(f"_{action}") and shorter not in taken:
            operation["operationId"] = shorter
            taken.add(shorter)


def _complete(path: str, method: str, operation: Document) -> None:
    """What holds for every operation, said once here: its problems, and the headers of its kind."""
    operation.pop("security", None)  # the document's own holds for all
    if not operation.get("summary"):
        text = str(operation.get("description") or operation["operationId"])
        operation["summary"] = text.strip().splitlines()[0].rstrip(".")
    responses = operation["responses"]
    expected = {"401", "403", "503"}
    has_body = "requestBody" in operation
    if "{" in path or _parameters(operation, "query"):
        expected |= {"404", "422"}
    if has_body:
        expected |= {"400", "413", "415", "422"}
    if method in {"post", "patch", "put", "delete"}:
        expected |= {"409"}
    if method == "post" and responses.keys() & {"201", "202"}:
        expected |= {"422"}
        _add_parameter(operation, _IDEMPOTENCY_KEY)
    if method == "patch":
        _add_parameter(operation, _IF_MATCH)
    if "If-Match" in {parameter["name"] for parameter in _parameters(operation, "header")}:
        expected |= {"412"}
    if method == "get":
        expected |= {"406"}
    declared = {status for status in responses if status >= "400"}  # by the data plane, as plain JSON
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if path.startswith(OPENAI_PATHS):
        # There is neither 406 nor 422 where OpenAI's protocol is spoken, and errors have its shape.
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
        expected -= {"406", "422"}
    for status in sorted(expected | declared):
        responses[status] = {"description": _WORDS.get(status, "A problem."), "content": copy.deepcopy(content)}


def _parameters(operation: Document, place: str) -> list[Document]:
    return [parameter for parameter in operation.get("parameters", []) if parameter.get("in") == place]


def _add_parameter(operation: Document, parameter: Document) -> None:
    known = {found["name"].lower() for found in _parameters(operation, "header")}
    if parameter["name"].lower() not in known:
        operation.setdefault("parameters", []).append(copy.deepcopy(parameter))


@require_safe
def document_view(request: HttpRequest) -> HttpResponse:
    """`/api/openapi.json`."""
    return HttpResponse(_text(), content_type="application/json", headers={"Cache-Control": "public, max-age=300"})


@require_safe
def page_view(request: HttpRequest) -> HttpResponse:
    """`/api/docs`: the document for people."""
    return render(request, "switchboard/api_docs.html")


@functools.cache
def _text() -> str:
    return json.dumps(document())
