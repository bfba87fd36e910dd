-- Columns that are measured: permitted, with a witness that we see for ourselves.
-- grain: partner, direction, kind, column_name
-- reads: measured_by, stg_terms
-- range: level and weight are those of the newest terms; place is 1 for the first of the columns that
--        speak of one outcome, the most confidential first: so opening one more never takes from one
--        that weighs more
with
newest as (
    select
        partner,
        direction,
        kind,
        column_name,
        arg_max(level, starts_at) as level,
        arg_max(weight, starts_at) as weight,
        arg_max(witness, starts_at) as witness
    from stg_terms
    group by partner, direction, kind, column_name
)

select
    newest.partner,
    newest.direction,
    newest.kind,
    newest.column_name,
    hash(newest.partner, newest.direction, newest.kind, newest.column_name) as column_no,
    newest.level,
    newest.weight,
    newest.witness,
    row_number() over (
        partition by newest.partner, newest.direction, newest.kind, newest.witness
        order by newest.weight desc, measured_by.position asc
    ) as place
from newest
inner join measured_by
    on
        newest.kind = measured_by.kind
        and newest.column_name = measured_by.column_name
        and newest.witness = measured_by.witness
