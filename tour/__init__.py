"""`make tour`: five scenes on the demo's result. Each changes something in a copy and says what came of it.

A scene uses what the rest of the house uses; nothing here is needed by it, and what the demo made stays as it is.
"""
