{{ current_customers(
    source('ml', 'scores'),
    columns=[
        'as_of_date', 'model_name', 'model_version', 'feature_schema_hash', 'campaign_id', 'score', 'score_low',
        'score_high', 'score_kind', 'unit', 'horizon_days', 'fallback_tier', 'run_id',
    ],
    keys=['as_of_date', 'model_name', 'campaign_id'],
) }}
