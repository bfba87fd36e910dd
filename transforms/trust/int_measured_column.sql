-- Columns that are measured: permitted, with a witness that we see for ourselves.
-- grain: partner, direction, kind, column_name
-- reads: stg_terms
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
    partner,
    direction,
    kind,
    column_name,
    hash(partner, direction, kind, column_name) as column_no,
    level,
    weight,
    witness,
    row_number() over (
        partition by partner, direction, kind, witness order by weight desc, column_name asc
    ) as place
from newest
where
    (kind, column_name, witness) in (
        ('demand_forecast', 'quantity', 'order.quantity'),
        ('delivery_commitment', 'promised_quantity', 'delivery.quantity'),
        ('delivery_commitment', 'promised_date', 'delivery.arrived_on')
    )
