-- Columns that are measured: permitted, with a witness that we see for ourselves.
-- grain: partner, direction, kind, column_name
-- reads: measured_by, stg_terms
-- range: level and weight are those of the newest terms; outcome is what a column speaks of, and an
--        item in a period is one whatever the kind; place is 1 for the first of the numeric columns of an
--        outcome, the most confidential first: so opening one more never takes from one that weighs more,
--        and stock comes after what it is kept for; null for columns of classes
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
    partner,
    direction,
    kind,
    column_name,
    hash(partner, direction, kind, column_name) as column_no,
    level,
    weight,
    witness,
    measured_by.measure,
    measured_by.position,
    case
        when kind in ('demand_forecast', 'production_plan', 'inventory') then 'item'
        else kind || '/' || witness
    end as outcome,
    case measured_by.measure
        when 'numeric'
            then
                row_number() over (
                    partition by partner, direction, outcome, measured_by.measure
                    order by
                        weight desc, (kind = 'inventory')::integer asc, kind asc,
                        measured_by.position asc
                )
    end as place
from newest
inner join measured_by using (kind, column_name, witness)
