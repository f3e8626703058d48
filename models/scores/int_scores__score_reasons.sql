{{ current_customers(
    source('ml', 'score_reasons'),
    columns=[
        'as_of_date', 'model_name', 'model_version', 'campaign_id', 'reason_rank', 'theme', 'feature', 'direction',
        'contribution', 'reason', 'run_id',
    ],
    keys=['as_of_date', 'model_name', 'campaign_id', 'reason_rank'],
) }}
