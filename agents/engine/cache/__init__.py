"""Answers that are given again: per release, state of its documents, and question. `find` before a turn, `keep` after.

Off unless the release's runtime config says otherwise. What may be kept at all is for `judging.is_cacheable` to say.
"""

from agents.engine.cache.answers import CachedAnswer, find, keep
from agents.engine.cache.judging import is_cacheable, may_ask
from agents.engine.cache.keys import CacheKey, key_of

__all__ = ["CacheKey", "CachedAnswer", "find", "is_cacheable", "keep", "key_of", "may_ask"]
