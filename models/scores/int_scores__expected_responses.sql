{{ current_customers(
    source('ml', 'expected_responses'),
    columns=[
        'as_of_date', 'campaign_type', 'outcome', 'model_name', 'model_version', 'feature_schema_hash',
        'expected_response', 'expected_low', 'expected_high', 'unit', 'horizon_days', 'fallback_tier',
        'mailing_propensity', 'is_like_mailed', 'incremental_effect', 'incremental_profit', 'effect_missing_reason',
        'run_id',
    ],
    keys=['as_of_date', 'campaign_type', 'outcome'],
) }}
