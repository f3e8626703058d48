"""Phone numbers in E.164, by Google's numbering plans: each distinct text is read once, and in later builds not again.

A number without a country code is one of the contact's country, else of the shop's default region. What the last build
has read is taken from its table as long as library and region are the same: a million new texts take most of a minute,
the same ones again a second.
"""


def model(dbt, session):
    import re
    from importlib.metadata import version

    import pyarrow as pa

    from shops import load_settings

    dbt.config(materialized="table")
    default_region = load_settings().normalization.default_region
    # Count the rules up when e164 changes: what an older one has read is then read anew.
    parsed_by = f"phonenumbers {version('phonenumbers')}, rules 1, region {default_region}"
    schema = pa.schema({name: pa.string() for name in ("written_phone", "written_country", "phone", "parsed_by")})

    def e164(text, country):
        import phonenumbers  # late: the numbering plans of all countries, for nothing where there is no new number

        region = (country or "").strip().upper()
        region = region if region in phonenumbers.SUPPORTED_REGIONS else default_region
        # 00 is the usual prefix of a foreign number; the library takes it only where one dials it.
        international = re.sub("^[^0-9+]*00", "+", text)
        for written in (text, international) if international != text else (text,):
            try:
                number = phonenumbers.parse(written, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return None

    contacts, loads = dbt.source("landing", "crm_contacts"), dbt.source("landing", "loads")
    written = contacts.join(loads.project("load_id"), "load_id").filter("trim(phone) <> ''")
    # distinct: each text is read once, however many contacts share it
    wanted = written.project("phone as written_phone, country as written_country").distinct()
    this = [dbt.this.database, dbt.this.schema, dbt.this.identifier]
    found = session.execute(
        "select 1 from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?", this
    ).fetchone()
    known = (
        session.table(".".join(this)).filter(f"parsed_by = '{parsed_by}'")
        if found
        else session.from_arrow(schema.empty_table())
    )
    same = (
        "wanted.written_phone = known.written_phone "
        "and wanted.written_country is not distinct from known.written_country"
    )
    wanted, known = wanted.set_alias("wanted"), known.set_alias("known")
    old = known.join(wanted, same, how="semi").to_arrow_table().cast(schema)
    new = wanted.join(known, same, how="anti").order("written_phone, written_country").to_arrow_table().to_pydict()
    numbers = [e164(text, country) for text, country in zip(new["written_phone"], new["written_country"], strict=True)]
    read = pa.table([*new.values(), numbers, [parsed_by] * len(numbers)], schema=schema)
    return pa.concat_tables([old, read])
