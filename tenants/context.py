"""Whose data the running code may touch: the one door to a tenant.

The scope lives in a `ContextVar`, so it follows `await`, tasks, thread hops and sockets by itself. Our database backend
(`tenants.postgresql`) reads it before each query. Nothing else may choose a schema; a guard test refuses it.

A raw `threading.Thread` starts with an empty context: run it through `contextvars.copy_context().run`.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")

PUBLIC_SCHEMA: Final = "public"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class TenantNotSet(RuntimeError):
    """Code touched the database, a queue or a file without saying whose."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be touched: one tenant's schema, or the public one (`tenant_id` is None)."""

    schema_name: str
    tenant_id: uuid.UUID | None = None
    name: str = ""
    include_public: bool = True
    # As they stood at the door: what the tenant is entitled to, and what the operators noted of it. Two scopes of one
    # tenant are the same scope whatever it has been noted meanwhile.
    tier: str = field(default="", compare=False)
    metadata: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, compare=False)

    @property
    def is_public(self) -> bool:
        return self.schema_name == PUBLIC_SCHEMA

    def get_tenant_type(self) -> None:
        """django-tenants asks its tenants this; we have one type."""


class HasSchema(Protocol):
    """A tenant row, or anything that names a schema."""

    id: uuid.UUID
    name: str
    schema_name: str
    service_tier: str
    metadata: Any


PUBLIC: Final = Scope(PUBLIC_SCHEMA)
_scope: ContextVar[Scope | None] = ContextVar("switchboard_scope", default=None)


def current_scope() -> Scope | None:
    """The scope in force, or None where nobody has said."""
    return _scope.get()


def current_tenant() -> Scope:
    """The tenant in force.

    Raises:
        TenantNotSet: outside any tenant, the public scope included.
    """
    scope = _scope.get()
    if scope is None or scope.is_public:
        raise TenantNotSet("This needs a tenant. Wrap it in tenants.context.use_tenant(...).")
    return scope


def tenant_id() -> uuid.UUID:
    """The id of the tenant in force. Raises `TenantNotSet` outside one."""
    identity = current_tenant().tenant_id
    if identity is None:
        raise TenantNotSet("A bare schema is in force, not a tenant's row.")
    return identity


def tenant_key(*parts: object) -> str:
    """A Redis or cache key inside the tenant's own name space: no two tenants ever share one."""
    return ":".join(("t", current_tenant().schema_name, *map(str, parts)))


def scope_of(tenant: HasSchema | Scope) -> Scope:
    """The scope of a tenant's row."""
    if isinstance(tenant, Scope):
        return tenant
    return Scope(
        schema_name=tenant.schema_name,
        tenant_id=tenant.id,
        name=tenant.name,
        tier=tenant.service_tier,
        metadata=tenant.metadata,
    )


@contextmanager
def use_tenant(tenant: HasSchema | Scope) -> Iterator[Scope]:
    """Run a block as one tenant; works around sync and async code alike."""
    scope = scope_of(tenant)
    with _use(scope):
        yield scope


@contextmanager
def use_public() -> Iterator[None]:
    """Run a block in the public schema: tenants, domains, key hashes and leases, nothing of a tenant's own."""
    with _use(PUBLIC):
        yield


@contextmanager
def use_schema(schema_name: str, *, include_public: bool = True) -> Iterator[None]:
    """Run a block in a schema that has no tenant row: the template, or one being made."""
    with _use(Scope(schema_name, include_public=include_public)):
        yield


@contextmanager
def _use(scope: Scope) -> Iterator[None]:
    before = _scope.get()
    _scope.set(scope)
    try:
        yield
    finally:
        # Set, not reset(token): a generator may be closed in another context than the one that started it.
        _scope.set(before)


def set_scope(scope: Scope | None) -> None:
    """For the database backend alone, whose base class is told its schema by django-tenants' migration machinery."""
    _scope.set(scope)


class InScope(AsyncIterator[T]):
    """An async iterator whose every step runs in one scope, whoever drives it: a streaming body outlives its
    middleware.
    """

    def __init__(self, source: AsyncIterator[T], scope: Scope) -> None:
        self._source = source
        self._scope = scope

    def __aiter__(self) -> InScope[T]:
        return self

    async def __anext__(self) -> T:
        with _use(self._scope):
            return await anext(self._source)

    async def aclose(self) -> None:
        close = getattr(self._source, "aclose", None)
        if close is not None:
            with _use(self._scope):
                await close()
