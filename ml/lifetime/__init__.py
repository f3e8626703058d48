"""What customers will be worth: purchases to come (BG/NBD), their value (Gamma-Gamma), boosted trees, and a choice.

`bg_nbd` and `gamma_gamma` are estimators of their own; `purchase_value` puts them together, `boosted_value` learns from
the feature catalogue, `value_model` chooses between them in time order and scores.
"""
