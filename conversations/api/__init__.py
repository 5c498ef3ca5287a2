"""The data plane: conversations over HTTP."""

from conversations.api.api import data_plane

__all__ = ["data_plane"]
