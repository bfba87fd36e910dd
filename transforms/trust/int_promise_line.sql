-- Order lines that fell due, and whether they were delivered as first promised.
-- grain: partner, direction, promise_id
-- reads: int_order_line, run, stg_terms
-- range: partners whose terms let them promise; counted two weeks after the promised day, a line
--        without promise after the requested one, and a promise more than a quarter later than that
--        then, as not kept; kept is from 0 to 1
with
asked as (select as_of from run),

promising as (
    select distinct
        partner,
        direction
    from stg_terms
    where kind = 'delivery_commitment' and column_name = 'promised_date'
),

line as (
    select
        line.*,
        -- A promise that withholds its quantity is one of all that was ordered.
        coalesce(line.promised_quantity, line.ordered_quantity) as told_quantity,
        least(
            line.due_on::timestamptz + interval 14 day,
            line.requested_date::timestamptz + interval 91 day
        ) as counted_at
    from int_order_line as line
    semi join promising using (partner, direction)
    cross join asked
    where
        line.partner_role = 'supplier'
        and line.ordered_quantity > 0
        and counted_at <= asked.as_of
        -- What we cancelled before it was due is not the partner's to keep.
        and coalesce(line.cancelled_at > line.due_on::timestamptz, true)
)

select
    partner,
    direction,
    'delivery_commitment' as promise_kind,
    order_id || '/' || line as promise_id,
    counted_at,
    ordered_quantity as quantity,
    unit_price,
    promised_date is not null as is_promised,
    case
        when promised_date is null then 0
        when counted_at < due_on::timestamptz + interval 14 day then 0
        -- In full is against the promise; what was ordered and not promised is not kept.
        when on_time_quantity >= least(told_quantity, ordered_quantity, wanted_quantity)
            then least(1, told_quantity / ordered_quantity)
        else 0
    end as kept
from line
