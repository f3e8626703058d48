"""A first mapping of a source that nobody has described yet, from the names and values of its columns.

It is a draft: each line says what it rests on, what is missing stands there as a comment, and `check` tries it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import yaml

from ingestion.mapping.model import KEYS, needed_columns
from ingestion.mapping.profile import ColumnProfile, TableProfile
from ingestion.sql import quoted

# Words for landing columns as shops use them, the surest first; written without spaces, signs and capitals.
_ORDER_ID = ("orderid", "orderno", "ordernumber", "ordernr", "invoiceno", "invoiceid", "invoicenumber", "invoice",
             "receiptid", "receiptno", "receipt", "basketid", "basket", "transactionid", "transactionno", "transaction",
             "salesorderid", "ticketno", "bestellnr", "bestellnummer", "auftragsnr", "rechnungsnr", "belegnr", "bonnr",
             "commandeid", "numerocommande", "order", "id")  # fmt: skip
_CUSTOMER = ("loyaltyid", "loyaltycard", "cardid", "cardno", "cardnumber", "card", "customerid", "customerno",
             "customernumber", "customernr", "custid", "memberid", "memberno", "clientid", "clientno", "userid",
             "accountid", "householdid", "householdkey", "buyerid", "personid", "customer", "member", "client", "user",
             "buyer", "kundennr", "kundennummer", "kunde", "kartennr", "customeremail", "email",
             "emailaddress")  # fmt: skip
_WHEN = ("orderedat", "orderdatetime", "ordertimestamp", "orderdate", "soldat", "saledate", "purchasedat",
         "purchasedate", "invoicedate", "transactiontimestamp", "transactiondate", "placedat", "createdat", "created",
         "occurredat", "bestelldatum", "rechnungsdatum", "datetime", "timestamp", "datum", "date", "day",
         "time")  # fmt: skip
_PRODUCT = ("productid", "productno", "productcode", "sku", "stockcode", "articleid", "articleno", "articlenumber",
            "itemid", "itemno", "itemcode", "upc", "ean", "gtin", "artikelnr", "artikelnummer", "artikel", "produit",
            "product", "article", "item")  # fmt: skip
_QUANTITY = ("quantity", "qty", "units", "count", "pieces", "menge", "anzahl", "quantite")
_AMOUNT = ("netamount", "lineamount", "linetotal", "linetotalamount", "netsales", "salesvalue", "salesamount", "sales",
           "amount", "revenue", "subtotal", "extendedprice", "total", "totalprice", "umsatz", "betrag", "summe",
           "montant", "value", "net")  # fmt: skip
_UNIT_PRICE = (
    "unitprice",
    "itemprice",
    "priceperunit",
    "pricepaid",
    "unitamount",
    "einzelpreis",
    "stueckpreis",
    "prixunitaire",
    "preis",
    "prix",
    "price",
)

_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "orders": {
        "order_id": _ORDER_ID,
        "loyalty_id": _CUSTOMER,
        "store_id": ("storeid", "store", "storeno", "shopid", "branch", "branchid", "outlet", "filiale"),
        "channel": ("channel", "saleschannel", "orderchannel"),
        "currency": ("currency", "currencycode", "ordercurrency"),
        "user_id": ("webuserid", "loginid", "login"),
        "email": ("customeremail", "email", "emailaddress"),
        "occurred_at": _WHEN,
    },
    "order_lines": {
        "order_id": _ORDER_ID[:-1],
        "line_number": ("linenumber", "lineno", "linenr", "line", "position", "pos", "orderitemid", "itemnumber"),
        "product_id": _PRODUCT,
        "quantity": _QUANTITY,
        "retail_discount": ("discount", "discountamount", "retaildisc", "retaildiscount", "reduction", "rebate"),
        "coupon_discount": ("coupondisc", "coupondiscount", "couponvalue", "couponamount"),
        "coupon_match_discount": ("couponmatchdisc", "couponmatchdiscount"),
        "tax_amount": ("tax", "taxamount", "vat", "vatamount"),
        "net_amount": _AMOUNT,
        "unit_cost": ("unitcost", "cost", "costprice", "purchaseprice"),
        "occurred_at": _WHEN[:-4],
    },
    "products": {
        "product_id": (*_PRODUCT, "id"),
        "manufacturer_id": ("manufacturerid", "manufacturer", "supplierid", "supplier", "vendor"),
        "department": ("department", "productgroup", "maincategory", "division"),
        "brand_type": ("brandtype",),
        "product_category": ("productcategory", "category", "categoryname", "subcategory"),
        "product_type": ("producttype", "productname", "name", "title", "description", "articlename"),
        "package_size": ("packagesize", "size", "package"),
    },
    "crm_contacts": {
        "contact_id": ("contactid", *_CUSTOMER, "id"),
        "first_name": ("firstname", "givenname", "forename", "vorname"),
        "last_name": ("lastname", "surname", "familyname", "nachname", "name"),
        "email": ("email", "emailaddress", "mail"),
        "phone": ("phone", "phonenumber", "telephone", "mobile", "tel"),
        "street": ("street", "address", "addressline1", "streetaddress"),
        "city": ("city", "town", "place"),
        "postcode": ("postcode", "zip", "zipcode", "postalcode", "plz"),
        "region": ("region", "state", "province"),
        "country": ("countrycode",),
        "birth_date": ("birthdate", "dateofbirth", "birthday", "dob"),
        "occurred_at": ("updatedat", "modifiedat", "changedat", "createdat", "registeredat", "signupdate", "created"),
    },
    "campaigns": {
        "campaign_id": ("campaignid", "mailingid", "campaign", "id"),
        "campaign_type": ("campaigntype", "type", "kind", "description"),
        "starts_on": ("startson", "startdate", "start", "sentat", "sentdate"),
        "ends_on": ("endson", "enddate", "end"),
    },
    "campaign_recipients": {
        "campaign_id": ("campaignid", "mailingid", "campaign", "mailing"),
        "loyalty_id": _CUSTOMER,
    },
    "coupon_redemptions": {
        "loyalty_id": _CUSTOMER,
        "coupon_id": ("couponid", "couponupc", "couponcode", "coupon"),
        "campaign_id": ("campaignid", "mailingid", "campaign", "mailing"),
        "redeemed_on": ("redeemedon", "redemptiondate", "redeemedat", "redeemed"),
    },
}
# What tables of that kind are called; an optional table is drafted only where the name says so.
_TABLE_WORDS = {
    "orders": ("order", "receipt", "invoice", "basket", "sale", "transaction", "purchase", "bestell", "rechnung"),
    "order_lines": ("line", "item", "position", "detail", "order", "receipt", "invoice", "basket", "sale",
                    "transaction", "purchase"),
    "products": ("product", "article", "catalog", "sku"),
    "crm_contacts": ("customer", "contact", "client", "member", "user", "account", "crm"),
    "campaigns": ("campaign", "mailing"),
    "campaign_recipients": ("recipient", "mailed"),
    "coupon_redemptions": ("redemption",),
}  # fmt: skip
_NUMBERS = {"quantity", "retail_discount", "coupon_discount", "coupon_match_discount", "tax_amount", "net_amount",
            "unit_cost", "line_number"}  # fmt: skip
_PERSONAL = {"contact_id", "user_id", "email", "first_name", "last_name", "phone", "street", "city", "postcode",
             "region", "birth_date"}  # fmt: skip
_TIMES = {"occurred_at", "starts_on", "ends_on", "redeemed_on"}


@dataclass
class DraftColumn:
    """A line of the draft: landing column, its SQL, and what the guess rests on."""

    name: str
    sql: str
    why: str


@dataclass
class DraftTable:
    """A drafted landing table; `missing` names needed columns for which nothing was found."""

    name: str
    source: TableProfile
    columns: list[DraftColumn] = field(default_factory=list)
    keys: tuple[str, ...] = ()
    why: str = ""
    used: set[str] = field(default_factory=set)

    @property
    def missing(self) -> list[str]:
        found = {column.name for column in self.columns} | {"line_number"}
        return [name for name in needed_columns(self.name) if name not in found]


@dataclass(frozen=True)
class Draft:
    """The text of both files, and what is to be looked at."""

    mapping: str
    settings: str
    guesses: tuple[str, ...]


def draft(
    shop: str,
    source_line: str,
    shown: str,
    tables: Sequence[TableProfile],
    zone: str | None = None,
    currency: str | None = None,
) -> Draft:
    """A mapping and settings for `shop`.

    Parameters
    ----------
    source_line
        What stands under `source:`.
    shown
        How the source is called in comments.
    zone, currency
        What the user said; guessed otherwise.
    """
    drafted = _drafted(tables)
    found_currency = next((c for t in tables for c in t.columns if c.only_currency), None)
    said_currency = currency or (found_currency.only_currency if found_currency else None)
    notes = []
    if zone is None:
        notes.append("zone: UTC is a guess; write the IANA zone of the clock that wrote the times")
    if said_currency is None:
        notes.append("currency: USD is a guess; no column names a currency")
    for table in drafted:
        notes += [f"tables.{table.name}: {name} is missing" for name in table.missing]
        if table.name == "orders" and not any(column.name == "loyalty_id" for column in table.columns):
            notes.append("tables.orders: no column says who bought; without loyalty_id nobody is known")
    lines = [
        f"# Drafted from {one_line(shown)}. What is a guess says so: look at it, then",
        f"#   python -m ingestion check --shop {shop}",
        "# Left of the colon stand the landing columns (models/landing.yml explains each), right of it a column of the",
        "# source or a SQL expression of its columns.",
        "",
        "source:",
        f"  {source_line}",
        "",
        *_commented(
            [
                (f"zone: {zone or 'UTC'}", "" if zone else "GUESS: the zone of the clock that wrote the times"),
                (
                    f"currency: {said_currency or 'USD'}",
                    "" if currency else f"from {found_currency.name}" if found_currency else "GUESS: no column says it",
                ),
            ]
        ),
        "",
        "tables:",
    ]
    for table in drafted:
        lines += _table_lines(table)
    used = {table.source.name for table in drafted}
    unused = [table.name for table in tables if table.name not in used]
    if unused:
        lines += ["", f"# Not used: {one_line(', '.join(unused))}"]
    settings = [
        "# Keys that are not here keep shops/defaults.yml.",
        "",
        "shop:",
        f"  title: {yaml_scalar(shop.replace('_', ' ').replace('-', ' ').title())}",
        *_commented(
            [
                (
                    f"  business_timezone: {zone or 'UTC'}",
                    "" if zone else "GUESS, as in mapping.yml: a business day begins at midnight in this zone",
                ),
                (f"  reporting_currency: {said_currency or 'USD'}", "" if said_currency else "GUESS"),
            ]
        ),
        "",
        "source:",
        "  adapter: mapping                     # mapping.yml beside this file says what the source means",
    ]
    return Draft("\n".join(lines) + "\n", "\n".join(settings) + "\n", tuple(notes))


def _drafted(tables: Sequence[TableProfile]) -> list[DraftTable]:
    lines = _best("order_lines", tables)
    tie = _tie(tables)
    if tie is not None and (lines is None or "order_id" in lines.missing):
        # No name says so, but the values do: what is different in every row of one table repeats in the other.
        of_orders, of_lines, column = tie
        tied = [_match("orders", of_orders), _match("order_lines", of_lines)]
        for each in tied:
            each.columns.insert(0, DraftColumn("order_id", column, f"GUESS: ties {of_orders.name} to {of_lines.name}"))
            each.used.add(column)
        return tied
    orders = _best("orders", [t for t in tables if lines is None or t.name != lines.source.name])
    if orders is None or orders.missing:
        # One file with a row a line: the orders are made from it as well.
        flat = _best("orders", [lines.source]) if lines is not None else None
        orders = flat if flat is not None and len(flat.missing) <= len(orders.missing if orders else KEYS) else orders
    found = [table for table in (orders, lines) if table is not None]
    if orders is not None:
        _one_row_an_order(orders)
    taken = {table.source.name for table in found}
    for name in ("products", "crm_contacts", "campaigns", "campaign_recipients", "coupon_redemptions"):
        rest = [t for t in tables if t.name not in taken and _is_called(t, name)]
        table = _best(name, rest)
        if table is not None and not table.missing and len(table.columns) > 1:
            found.append(table)
            taken.add(table.source.name)
            if name == "crm_contacts":
                _contact_is_the_customer(table, orders)
    return found


def _tie(tables: Sequence[TableProfile]) -> tuple[TableProfile, TableProfile, str] | None:
    """Two tables and the column that both have: different in every row of the first, repeated in the second."""
    for first in tables:
        for second in tables:
            for column in first.columns:
                other = next((c for c in second.columns if c.name == column.name and first is not second), None)
                if other and column.values and column.distinct == column.values and 0 < other.distinct < other.values:
                    return first, second, column.name
    return None


def _best(name: str, tables: Iterable[TableProfile]) -> DraftTable | None:
    """The source table that fits a landing table best: the fewest needed columns missing, its name, the most found."""
    candidates = [_match(name, table) for table in tables]
    candidates = [table for table in candidates if table.columns]
    if not candidates:
        return None
    return min(
        candidates, key=lambda t: (len(t.missing), not _is_called(t.source, name), -len(t.columns), t.source.name)
    )


def _is_called(table: TableProfile, name: str) -> bool:
    words = _plain(table.name)
    if name == "orders" and any(word in words for word in ("line", "item", "position", "detail")):
        return False
    return any(word in words for word in _TABLE_WORDS[name])


def _match(name: str, source: TableProfile) -> DraftTable:
    table = DraftTable(name, source)
    for landing, words in _WORDS[name].items():
        column = _column(landing, words, [c for c in source.columns if c.name not in table.used])
        if column is None:
            continue
        if landing == "net_amount" and column.name in table.used:
            continue
        table.columns.append(DraftColumn(landing, _sql(landing, column), _why(landing, column)))
        table.used.add(column.name)
    if name == "order_lines":
        _amounts(table)
    return table


def _column(landing: str, words: tuple[str, ...], columns: Sequence[ColumnProfile]) -> ColumnProfile | None:
    fitting = [column for column in columns if _fits(landing, column)]
    by_name = {_plain(column.name): column for column in reversed(fitting)}
    for word in words:
        if word in by_name:
            return by_name[word]
    # A longer name that ends with a word of four letters or more: `till_receipt`, `cust_order_date`.
    for word in words:
        if len(word) >= 4:
            for plain, column in by_name.items():
                if plain.endswith(word):
                    return column
    if landing == "occurred_at":
        return next((column for column in fitting if column.time_format is not None), None)
    return None


def _fits(landing: str, column: ColumnProfile) -> bool:
    """Whether the values can be what the landing column holds."""
    if column.values == 0:
        return False
    if landing in _TIMES:
        return column.time_format is not None
    if landing in _NUMBERS:
        return column.is_number
    if landing == "currency":
        return column.is_currency
    if landing.endswith("_id"):
        return column.time_format is None and not column.has_fractions
    return True


def _sql(landing: str, column: ColumnProfile) -> str:
    if landing in _TIMES and column.time_format not in (None, ""):
        return f"strptime({_reference(column)}, '{column.time_format}')"
    if landing in _NUMBERS and column.decimal_comma:
        return f"replace(replace({_reference(column)}, '.', ''), ',', '.')"
    if landing.endswith("_id") and column.zero_behind:
        return f"regexp_replace({_reference(column)}, '[.]0$', '')"
    return column.name


def _reference(column: ColumnProfile) -> str:
    """The column inside an expression."""
    return column.name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column.name) else quoted(column.name)


def _number(column: ColumnProfile, scale: int) -> str:
    """The column inside arithmetic: text needs a type."""
    if column.decimal_comma:
        return f"replace(replace({_reference(column)}, '.', ''), ',', '.')::decimal(18,{scale})"
    return f"{_reference(column)}::decimal(18,{scale})" if column.is_text else _reference(column)


def _why(landing: str, column: ColumnProfile) -> str:
    if landing in _TIMES:
        order = "; GUESS: the day stands before the month" if column.day_or_month_first else ""
        return f"e.g. {column.example}{order}"
    if landing == "loyalty_id":
        return f"who bought; {column.distinct:,} different ones in {column.values:,} rows"
    # The file may be kept with code: nobody's data is shown in it.
    return "by its name" if landing in _PERSONAL else f"e.g. {column.example}"


def _amounts(table: DraftTable) -> None:
    """What a line cost: a column of its own, else unit price times quantity; and what is taken back."""
    by_name = {column.name: column for column in table.columns}
    sources = {column.name: column for column in table.source.columns}
    quantity = _column("quantity", _QUANTITY, table.source.columns)
    price = _column("net_amount", _UNIT_PRICE, [c for c in table.source.columns if c.name not in table.used])
    if "net_amount" not in by_name and price is not None:
        if quantity is not None:
            sql, why = f"{_number(quantity, 3)} * {_number(price, 4)}", "GUESS: the price is of one unit"
        else:
            sql, why = _sql("net_amount", price), "GUESS: the price is of the whole line"
        table.columns.append(DraftColumn("net_amount", sql, why))
        table.used.add(price.name)
    signed = quantity or sources.get(by_name["net_amount"].sql if "net_amount" in by_name else "")
    if signed is not None and signed.lowest is not None and signed.lowest < 0:
        table.columns.append(
            DraftColumn(
                "line_type",
                f"case when {_number(signed, 3)} < 0 then 'return' else 'sale' end",
                f"GUESS: {signed.name} below zero takes back",
            )
        )


def _one_row_an_order(orders: DraftTable) -> None:
    order_id = next((column for column in orders.columns if column.name == "order_id"), None)
    column = next((c for c in orders.source.columns if order_id is not None and c.name == order_id.sql), None)
    if column is not None and column.distinct < column.values:
        orders.keys = ("order_id",)
        orders.why = f"{column.name} repeats, so the first row of each makes the order"


def _contact_is_the_customer(contacts: DraftTable, orders: DraftTable | None) -> None:
    """Contacts carry the id that orders name their customer by."""
    contact_id = next(column for column in contacts.columns if column.name == "contact_id")
    names = {column.name for column in contacts.columns}
    if "email" not in names and "email" in _plain(contact_id.sql):
        contacts.columns.append(DraftColumn("email", contact_id.sql, contact_id.why))
    if orders is not None and any(column.name == "loyalty_id" for column in orders.columns):
        contacts.columns.insert(1, DraftColumn("loyalty_id", contact_id.sql, "GUESS: the id that orders name them by"))


def _table_lines(table: DraftTable) -> list[str]:
    pairs = [(f"    from: {yaml_scalar(table.source.name)}", table.source.shown)]
    if table.keys:
        pairs.append((f"    keys: [{', '.join(table.keys)}]", table.why))
    pairs.append(("    columns:", ""))
    pairs += [(f"      {column.name}: {yaml_scalar(column.sql)}", column.why) for column in table.columns]
    lines = [f"  {table.name}:", *_commented(pairs)]
    lines += [f"      # MISSING {name}: no column was found for it" for name in table.missing]
    unused = [column.name for column in table.source.columns if column.name not in table.used]
    if unused:
        lines.append(f"    # not used: {one_line(', '.join(unused))}")
    return lines


def _commented(pairs: Sequence[tuple[str, str]]) -> list[str]:
    width = min(max((len(text) for text, why in pairs if why), default=0), 60)
    return [f"{text:<{width}}  # {one_line(why)}" if why else text for text, why in pairs]


def one_line(text: str) -> str:
    """A text that can stand in a comment: a value of the source may hold line breaks and what YAML does not allow."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def yaml_scalar(text: str) -> str:
    """A YAML scalar that is read back as this text."""
    dumped: str = yaml.safe_dump(text, default_flow_style=True, allow_unicode=True, width=10_000)
    return dumped.strip().removesuffix("...").strip()


def _plain(name: str) -> str:
    """A name without what people write differently."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"(\.csv|\.tsv|\.parquet)(\.gz)?$", "", name.lower()))
