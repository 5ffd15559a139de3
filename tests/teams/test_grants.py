def test_smoke(owner, shop_viewer, outsider, admin, pod, release, operation, chart):
    pass
