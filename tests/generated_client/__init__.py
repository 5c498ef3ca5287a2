"""A typed client that is generated from the API's document, and what a program does with it."""
