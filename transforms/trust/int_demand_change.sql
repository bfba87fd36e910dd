-- The order book by item, place and period of the forecasts: each change, and when it was known.
-- grain: partner, direction, period, order_id, line, vintage_no, is_new
-- reads: int_order_change, stg_terms
-- range: every period that an order ever asked for; period_no counts days, weeks or months
with
period_in_use as (
    select distinct
        partner,
        direction,
        period
    from stg_terms
    where kind = 'demand_forecast' and witness = 'order.quantity'
),

change as (select * from int_order_change)

select
    change.partner,
    change.direction,
    period_in_use.period,
    change.order_id,
    change.line,
    change.vintage_no,
    change.is_new,
    change.item_id,
    change.ship_to,
    case period_in_use.period
        when 'day' then date_diff('day', date '1970-01-05', change.requested_date)
        when 'month' then date_diff('month', date '1970-01-01', change.requested_date)
        else date_diff('week', date '1970-01-05', change.requested_date)
    end as period_no,
    change.quantity,
    change.known_at
from change
inner join period_in_use
    on
        change.partner = period_in_use.partner
        and change.direction = period_in_use.direction
order by
    change.partner, change.direction, period_in_use.period, change.order_id, change.line,
    change.vintage_no, change.is_new
