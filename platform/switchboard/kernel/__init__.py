"""What every app may use and no app owns. Imports nothing from the apps."""
