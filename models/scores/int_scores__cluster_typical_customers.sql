{{ current_customers(
    source('ml', 'cluster_typical_customers'),
    columns=[
        'model_name', 'model_version', 'as_of_date', 'level', 'cluster_key', 'place', 'distance',
        'run_id',
    ],
    keys=['as_of_date', 'model_name', 'cluster_key', 'place'],
) }}
