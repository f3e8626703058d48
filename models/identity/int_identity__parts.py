"""Suspect components divided into parts that can each be one person; `ml.graph.divide` says how.

Only suspects are read: they are few. Records are taken in the order of their keys, not of their arrival.
"""


def model(dbt, session):
    from collections import defaultdict

    import pyarrow as pa

    from ml.graph import DECIDED, Bond, Limits, Person, divide
    from ml.persons import dates_fit, names_fit
    from shops import load_settings

    dbt.config(materialized="incremental")
    suspects = dbt.ref("int_identity__suspects")
    touched = dbt.ref("int_identity__touched_records")
    if dbt.is_incremental:
        # The number of a component is that of its first record: a whole component is touched, or none of it.
        suspects = suspects.join(touched.project("record_number as component_number"), "component_number")
    settings = load_settings().identity
    has = settings.one_customer_has
    most = {"loyalty_id": has.loyalty_ids, "login": has.logins, "brand": has.brands}
    limits = Limits(
        most={kind: limit for kind, limit in most.items() if limit is not None},
        fits={"names": names_fit, "birth_date": dates_fit},
        max_records=settings.max_records_per_customer,
        bridge_min_records=settings.bridge_min_records,
    )

    members = dbt.ref("int_identity__components").set_alias("components").join(
        suspects.set_alias("suspects"), "components.component_number = suspects.component_number"
    ).project("components.record_number, components.component_number")
    records = dbt.ref("int_identity__source_records").project("record_number, source_record_key")
    keyed = members.set_alias("members").join(
        records.set_alias("records"), "members.record_number = records.record_number"
    ).project("members.record_number, component_number, source_record_key").order("source_record_key").fetchall()

    place_of = {number: place for place, (number, _, _) in enumerate(keyed)}
    place_of_key = {key: place for place, (_, _, key) in enumerate(keyed)}
    people = {place: Person() for place in range(len(keyed))}

    def of_suspects(relation, columns, number="record_number"):
        rows = relation.set_alias("rows").join(
            members.set_alias("members"), f"rows.{number} = members.record_number"
        )
        return rows.project(columns).fetchall()

    for number, kind, value in of_suspects(
        dbt.ref("int_identity__identifiers"), "rows.record_number, identifier_type, identifier_value"
    ):
        if kind in limits.most:
            people[place_of[number]].limited.setdefault(kind, set()).add(value)
    for number, given_name, last_name, birth_date in of_suspects(
        dbt.ref("int_identity__persons"), "rows.record_number, given_name, last_name, birth_date::varchar"
    ):
        described = people[place_of[number]].described
        if given_name:
            described["names"] = {(given_name, last_name or "")}
        if birth_date:
            described["birth_date"] = {birth_date}
    decisions = dbt.ref("int_identity__decisions").project("left_record_key, right_record_key, verdict").fetchall()
    for left_key, right_key, verdict in decisions:
        left, right = place_of_key.get(left_key), place_of_key.get(right_key)
        if verdict == "not same" and left is not None and right is not None:
            people[left].excluded.add(right)
            people[right].excluded.add(left)

    tied = defaultdict(set)
    for left, right, rule, confidence, evidence in of_suspects(
        dbt.ref("int_identity__edges"), "left_number, right_number, match_rule, match_confidence, evidence", "left_number"
    ):
        strength = DECIDED if rule == "decided: same" else confidence
        tied[(strength, f"{rule} {evidence}")] |= {place_of[left], place_of[right]}

    component_of = {place: component for place, (_, component, _) in enumerate(keyed)}
    bonds_of = defaultdict(list)
    for (strength, name), tied_places in tied.items():
        component = component_of[next(iter(tied_places))]
        bonds_of[component].append(Bond(strength, name, tuple(sorted(tied_places))))
    people_of = defaultdict(dict)
    for place, person in people.items():
        people_of[component_of[place]][place] = person

    part_of = {}
    for component, group in people_of.items():
        part_of |= divide(group, bonds_of[component], limits)
    # A part is named by its first record in the order of arrival, as a component is.
    first_of = {}
    for place, part in part_of.items():
        first_of[part] = min(first_of.get(part, keyed[place][0]), keyed[place][0])
    return pa.table(
        {
            "record_number": pa.array([keyed[place][0] for place in part_of], pa.int64()),
            "component_number": pa.array([component_of[place] for place in part_of], pa.int64()),
            "part_number": pa.array([first_of[part] for part in part_of.values()], pa.int64()),
        }
    )
