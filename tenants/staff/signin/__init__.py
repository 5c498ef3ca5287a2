"""Signing in: passwords, second factors, lost passwords, single sign-on. django-allauth's flows in our frame and under
our rules; every page of theirs that we have is in `urls`.
"""
