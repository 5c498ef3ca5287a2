"""The demo companies as typed values, read from each company's `company.yaml`."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from agents.content.personality import PersonalityContent
from agents.content.testcase import CaseTurn
from agents.content.tool import ToolContent

FOLDER = Path(__file__).parent
SLUG = r"^[a-z][a-z0-9-]*$"


class _Value(BaseModel):
    """Frozen, and strict about keys: a misspelt key in a company.yaml is an error rather than a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class DemoDocument(_Value):
    """One file of a collection: `file` is its name in the company's documents folder."""

    file: str = Field(pattern=r"^[a-z0-9-]+\.(pdf|md|txt)$")
    title: str = Field(min_length=1)


class DemoCollection(_Value):
    """A knowledge base of the company."""

    name: str = Field(min_length=1)
    slug: str = Field(pattern=SLUG)
    documents: tuple[DemoDocument, ...] = Field(min_length=1)


class DemoTestCase(_Value):
    """A conversation that the agent passes on the built-in model."""

    name: str = Field(min_length=1)
    tags: tuple[str, ...] = ()
    turns: tuple[CaseTurn, ...] = Field(min_length=1)


class DemoTool(_Value):
    """Something the agent can do besides talking; its content is a tool's."""

    name: str = Field(min_length=1)
    slug: str = Field(pattern=SLUG)
    content: ToolContent


class DemoPersonality(_Value):
    """How the company's agents speak where a release doesn't say."""

    name: str = Field(min_length=1)
    slug: str = Field(pattern=SLUG)
    content: PersonalityContent


class DemoCalendar(_Value):
    """What can be reserved, and when; `opening_times` as `conversations.desk` has them."""

    name: str = Field(min_length=1)
    slug: str = Field(pattern=SLUG)
    time_zone: str = "Europe/London"
    opening_times: dict[str, list[list[str]]]
    capacity: int
    largest_party: int
    duration_minutes: int = 90


class DemoAgent(_Value):
    """The company's assistant. `prompt` is its system prompt; it has no placeholders."""

    name: str = Field(min_length=1)
    slug: str = Field(pattern=SLUG)
    prompt: str = Field(min_length=1)
    welcome: str = Field(min_length=1)
    suggested_questions: tuple[str, ...] = Field(min_length=1)
    key_terms: tuple[str, ...] = ()  # what its built-in ears listen for besides these questions
    test_cases: tuple[DemoTestCase, ...] = ()


class DemoCompany(_Value):
    """A tenant to seed: its agent and what the agent may read. `team` names a ready template whose agents come too."""

    name: str = Field(min_length=1)
    slug: str = Field(pattern=SLUG)
    agent: DemoAgent
    team: str = ""
    personality: DemoPersonality | None = None
    collections: tuple[DemoCollection, ...] = Field(min_length=1)
    tools: tuple[DemoTool, ...] = ()
    calendars: tuple[DemoCalendar, ...] = ()

    def __hash__(self) -> int:
        return hash(self.slug)  # its tools hold schemas, which have no hash

    @property
    def documents_folder(self) -> Path:
        """The folder that holds this company's rendered documents."""
        return FOLDER / self.slug / "documents"

    def path_of(self, document: DemoDocument) -> Path:
        """Where a document's bytes are on this machine."""
        return self.documents_folder / document.file


@cache
def load_companies() -> tuple[DemoCompany, ...]:
    """Read every company beside this module, in a fixed order (the hotel first).

    Raises:
        pydantic.ValidationError: a company.yaml has a missing, misspelt or malformed key.
        FileNotFoundError: a company.yaml is missing, or names a document that has not been rendered.
    """
    companies = tuple(_load(FOLDER / slug / "company.yaml") for slug in ("harbour", "agency"))
    for company in companies:
        for collection in company.collections:
            for document in collection.documents:
                if not company.path_of(document).is_file():
                    raise FileNotFoundError(
                        f"{company.slug}/company.yaml names {document.file}, which is not rendered."
                    )
    return companies


def _load(path: Path) -> DemoCompany:
    return DemoCompany.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
