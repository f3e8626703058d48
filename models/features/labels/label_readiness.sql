{{ purchase_label(setting('models.readiness.horizon_days')) }}
