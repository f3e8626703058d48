{{ purchase_label(setting('models.purchase.horizon_days')) }}
