"""The web page: an export panel for musicians, a farm view for operators.

Plain HTML, CSS and ES modules, without a build step: what lies in ``static`` is what browsers
get. Everything that the page knows and does goes through the public API.
"""

from coordinator.web.page import install

__all__ = ["install"]
