"""Browsers of 2017, by family and month: what people's devices, and bots that pass for people, say they are."""

from __future__ import annotations

MONTHS = 13
# Family: template, share of the desktops, share of the phones and tablets. {0} is a major version, {1} a build.
_TEMPLATES: tuple[tuple[str, float, float], ...] = (
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.{build}.110 "
     "Safari/537.36", 0.38, 0),
    ("Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.{build}.98 "
     "Safari/537.36", 0.16, 0),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_12_6) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.{build}"
     ".100 Safari/537.36", 0.1, 0),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{firefox}.0) Gecko/20100101 Firefox/{firefox}.0", 0.11, 0),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 "
     "Safari/537.36 Edge/15.{build}", 0.07, 0),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", 0.07, 0),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_12_{minor}) AppleWebKit/603.3.8 (KHTML, like Gecko) Version/10.1.2 "
     "Safari/603.3.8", 0.11, 0),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 10_{minor} like Mac OS X) AppleWebKit/603.1.30 (KHTML, like Gecko) "
     "Version/10.0 Mobile/14E304 Safari/602.1", 0, 0.40),
    ("Mozilla/5.0 (iPad; CPU OS 10_{minor} like Mac OS X) AppleWebKit/603.1.30 (KHTML, like Gecko) Version/10.0 "
     "Mobile/14E304 Safari/602.1", 0, 0.13),
    ("Mozilla/5.0 (Linux; Android 7.0; SM-G930V) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.{build}.125 "
     "Mobile Safari/537.36", 0, 0.15),
    ("Mozilla/5.0 (Linux; Android 6.0.1; SM-J700T) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.{build}.84 "
     "Mobile Safari/537.36", 0, 0.1),
    ("Mozilla/5.0 (Linux; Android 7.1.1; Pixel) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.{build}.132 "
     "Mobile Safari/537.36", 0, 0.08),
    ("Mozilla/5.0 (Linux; Android 7.0; SAMSUNG SM-G950U) AppleWebKit/537.36 (KHTML, like Gecko) "
     "SamsungBrowser/5.{minor} Chrome/51.0.2704.106 Mobile Safari/537.36", 0, 0.14),
)  # fmt: skip
DESKTOP_SHARES = {str(number): one[1] for number, one in enumerate(_TEMPLATES) if one[1]}
MOBILE_SHARES = {str(number): one[2] for number, one in enumerate(_TEMPLATES) if one[2]}


def browser_agents() -> list[str]:
    """All user agents; number = family * MONTHS + month."""
    return [
        template.format(
            chrome=55 + 2 * month // 3, build=2883 + 97 * month, firefox=50 + 2 * month // 3, minor=1 + month // 3
        )
        for template, *_ in _TEMPLATES
        for month in range(MONTHS)
    ]


DECLARED_AGENTS = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": 0.34,
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": 0.2,
    "Mozilla/5.0 (compatible; AhrefsBot/5.2; +http://ahrefs.com/robot/)": 0.13,
    "Mozilla/5.0 (compatible; SemrushBot/1.2~bl; +http://www.semrush.com/bot.html)": 0.09,
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)": 0.06,
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)": 0.05,
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.7; http://mj12bot.com/)": 0.04,
    "python-requests/2.18.4": 0.03,
    "Scrapy/1.4.0 (+https://scrapy.org)": 0.02,
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/60.0.3112.50 Safari/537.36":
        0.02,
    "curl/7.54.0": 0.02,
}  # fmt: skip
