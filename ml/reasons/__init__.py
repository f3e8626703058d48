"""Why a score is what it is: contributions of features against a typical customer, and the three largest in words.

Here belong contributions, their check against the model, and the words. What a model is, and how it is trained, does
not.
"""
