"""`tenants.context` is the only door to a tenant's data: nothing else chooses a schema."""

import ast

import pytest

from tests.guards.sources import files, name_of

# django-tenants' own ways. They act on the connection object, which is shared: under asyncio they reach other requests.
FORBIDDEN = frozenset(
    {
        "schema_context",
        "tenant_context",
        "set_schema",
        "set_tenant",
        "set_schema_to_public",
        "TenantMainMiddleware",
        "tenant_migrate",
        "schema_rename",
    }
)
# Ours, of which only the door itself and the backend may know.
INNER = frozenset({"_scope", "set_scope", "_use"})
MAY_USE = {
    "tenants/context.py": "it is the door",
    "tenants/postgresql/base.py": "it reads the scope at each cursor, and is told of django-tenants' own migrations",
    "tenants/domain/migrate.py": "a schema's record of migrations is made with that schema alone in the search path",
}
SEARCH_PATH = {
    "tenants/postgresql/base.py": "it tells the connection",
    "tenants/domain/template.py": "a dump sets a search path, which is left out",
}


def misuses(source: str, path: str) -> list[str]:
    """Every way around the door in a module."""
    found = []
    tree = ast.parse(source)
    texts = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # docstrings
    }
    forbidden = FORBIDDEN if path in MAY_USE else FORBIDDEN | INNER
    if path == "tenants/postgresql/base.py":
        forbidden = frozenset()
    for node in ast.walk(tree):
        names = []
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name):
                names = [name]
            case ast.ImportFrom(names=imported) | ast.Import(names=imported):
                names = [alias.name.rpartition(".")[2] for alias in imported]
            case ast.Constant(value=str(text)) if id(node) not in texts and path not in SEARCH_PATH:
                if "search_path" in text:
                    found.append(f"{path}:{node.lineno} speaks of the search path")
            case ast.Assign(targets=[ast.Attribute(attr="schema_name" | "tenant", value=ast.Name(id="connection"))]):
                found.append(f"{path}:{node.lineno} sets the connection's tenant")
        found += [f"{path}:{node.lineno} uses {name}" for name in names if name in forbidden]
    return found


def test_nothing_goes_around_the_door():
    found = []
    for path in files(".py"):
        found += misuses(path.read_text(), name_of(path))
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from django_tenants.utils import schema_context",
        "import django_tenants.utils as u\nwith u.tenant_context(t): pass",
        "from django_tenants.utils import tenant_context as enter",
        "connection.set_schema('public')",
        "connections['default'].set_tenant(t)",
        "connection.schema_name = 'x'",
        "from tenants.context import _scope",
        "from tenants import context\ncontext.set_scope(None)",
        "cursor.execute('SET search_path TO x')",
        "cursor.execute(f'SET LOCAL search_path = {name}')",
    ],
)
def test_the_guard_sees_each_way_around(source):
    assert misuses(source, "knowledge/somewhere.py")


def test_the_door_itself_may_be_used():
    assert misuses("from tenants.context import use_tenant\nwith use_tenant(t): pass", "knowledge/somewhere.py") == []
