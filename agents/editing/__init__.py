"""From a registry's content model to a form and back: a new field of a model shows up in its editor by itself."""
