"""x"""
def test_e(apply):
    print(apply("normalize_email('written')", [' Ann <ANN@X.com>', 'mailto:a@b.de.', None, '', '"ann@x.com"']))
    print(apply("is_email('written')", ['ann@x.com', 'a@b', 'a..b@c.de', None]))
    print(apply("email_key('written')", ['ann.b+shop@gmail.com', 'a.n+x@x.com', None]))
    print(apply("normalize_name('written')", ['Dr. Anna-Léna', 'O’Brien Jr.', 'Dr', '李', None, '  ']))
    print(apply("normalize_street('written', \"map {'street':'st','apt':'unit','north':'n'}\")", ['123 N. Main Street, Apt. #4', 'Hauptstraße 12 a', None]))
    print(apply("normalize_postcode('written', \"'US'\")", ['2134', '02134-1234', '2134.0', '00000', 'x', None]))
    print(apply("normalize_postcode('written', \"'PL'\")", ['00950', '00-950', '950']))
    print(apply("normalize_postcode('written', \"'GB'\")", ['sw1a1aa', 'SW1A 1AA', '950']))
    print(apply("parse_amount('written')", ['1.234,56 €', '$1,234.56', '(12.00)', "CHF 1'250.-", '12,5-', '1,234','1.234','0,123','12-14','1e5','free', '-5', '$.50']))
    print(apply("parse_timestamp('written', \"'America/New_York'\")", ['2017-03-12 02:30', '2017-07-01T10:00:00+02:00', '2017-07-01T10:00:00Z', 'x', '2017-07-01', None]))
    print(apply("normalize_url('written')", ['HTTPS://Shop.EXAMPLE:443?b=2&a=1&utm_source=x#f', '/p?x', None, 'http://a/b?gclid=1']))
    print(apply("campaign_tag('written', 'utm_source')", ['HTTPS://Shop.EXAMPLE:443?b=2&a=1&UTM_source=News+Letter%20a#f', '/p?utm_source=#utm_source=1', None, 'http://a/b?gclid=1']))
    print(apply("parse_birth_date('written', \"timestamp '2017-06-01'\")", ['1985-03-04', '03/04/1985','25/12/1985','4.3.85','March 4, 1985','4-mar-85','19850304','03041985','1/1/20','1985-03-04T00:00:00','x',None,'2/30/1985']))
    assert 0
