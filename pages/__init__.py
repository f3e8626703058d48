"""The site for marketers: static pages, made from the published database alone.

Here belong questions to that database, words, charts and templates. What does not belong here: anything that computes
a figure which BI tools should see as well (that is a mart), and anything of the warehouse, dbt or Dagster.
"""

from pages.site import PageCount, SiteError, build_site

__all__ = ["PageCount", "SiteError", "build_site"]
