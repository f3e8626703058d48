"""Model cards: what a model is, whom it speaks of, how good it is and for whom, as Markdown and as a page.

After Mitchell et al., *Model Cards for Model Reporting* (FAT* 2019). Here belongs what a card says; reading tables and
writing files do not.
"""
