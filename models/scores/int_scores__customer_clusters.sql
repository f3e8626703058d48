{{ current_customers(
    source('ml', 'customer_clusters'),
    columns=[
        'as_of_date', 'model_name', 'model_version', 'level', 'cluster_key', 'cluster_name', 'is_outlier',
        'is_reconstructed', 'run_id',
    ],
    keys=['as_of_date', 'model_name', 'level'],
) }}
