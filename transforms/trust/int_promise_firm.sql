-- Quantities that a customer forecast as firm, and how much of them it then ordered.
-- grain: partner, direction, promise_id
-- reads: int_demand_change, int_forecast_cell, int_order_line, stg_demand_forecast, stg_terms
-- range: the first firm word before the period began, less what was ordered by then: that is no
--        promise any more; counted when the period's orders are settled; kept is from 0 to 1, and what
--        was ordered beyond the promise is as little kept as what was not ordered
with
promising as (
    select distinct
        partner,
        direction
    from stg_terms
    where kind = 'demand_forecast' and column_name = 'commitment'
),

price as (
    select
        partner,
        direction,
        item_id,
        median(unit_price) as unit_price
    from int_order_line
    group by partner, direction, item_id
),

firm as (
    select
        partner,
        direction,
        item_id,
        ship_to,
        period,
        period_start,
        case period
            when 'day' then date_diff('day', date '1970-01-05', period_start)
            when 'month' then date_diff('month', date '1970-01-01', period_start)
            else date_diff('week', date '1970-01-05', period_start)
        end as period_no,
        arg_min(value, (arrived_at, shipment_id)) as quantity,
        min(arrived_at) as arrived_at
    from stg_demand_forecast
    semi join promising using (partner, direction)
    where
        column_name = 'quantity'
        and commitment = 'firm'
        and value > 0
        and arrived_at < period_start::timestamptz
    group by partner, direction, item_id, ship_to, period, period_start
),

booked as (
    select
        firm.partner,
        firm.direction,
        firm.period,
        firm.item_id,
        firm.ship_to,
        firm.period_no,
        sum(change.quantity) as quantity
    from firm
    inner join int_demand_change as change
        using (partner, direction, period, item_id, ship_to, period_no)
    where change.known_at <= firm.arrived_at
    group by
        firm.partner, firm.direction, firm.period, firm.item_id, firm.ship_to, firm.period_no
),

promise as (
    select
        firm.*,
        firm.quantity - coalesce(booked.quantity, 0) as promised,
        cell.y - coalesce(booked.quantity, 0) as ordered,
        cell.y_known_at
    from firm
    inner join int_forecast_cell as cell
        on
            firm.partner = cell.partner
            and firm.direction = cell.direction
            and firm.item_id || '/' || firm.ship_to = cell.series_id
            and firm.period_start::timestamptz = cell.period_start
            and cell.column_name = 'quantity'
    left join booked
        on
            firm.partner = booked.partner
            and firm.direction = booked.direction
            and firm.period = booked.period
            and firm.item_id = booked.item_id
            and firm.ship_to = booked.ship_to
            and firm.period_no = booked.period_no
    where cell.y is not null
)

select
    promise.partner,
    promise.direction,
    'demand_forecast' as promise_kind,
    promise.item_id || '/' || promise.ship_to || '/' || promise.period_start as promise_id,
    promise.y_known_at as counted_at,
    promise.promised as quantity,
    price.unit_price,
    true as is_promised,
    case
        when promise.ordered > 0
            then least(promise.ordered / promise.promised, promise.promised / promise.ordered)
        else 0
    end as kept
from promise
left join price using (partner, direction, item_id)
where promise.promised > 0
