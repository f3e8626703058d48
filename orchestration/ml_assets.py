def build_ml_assets(settings): return []
