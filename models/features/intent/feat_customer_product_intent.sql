{{ intent_by('product_id', 'product_intent') }}
