{{ intent_by('product_category', 'category_intent') }}
