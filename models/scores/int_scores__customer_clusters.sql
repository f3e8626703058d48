{{ current_customers(
    source('ml', 'customer_clusters'),
    columns=['as_of_date', 'model_name', 'model_version', 'cluster_key', 'cluster_name', 'run_id'],
    keys=['as_of_date', 'model_name'],
) }}
