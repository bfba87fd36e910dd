-- Quantities that a customer forecast as firm, and how much of them it then ordered.
-- grain: partner, direction, promise_id
-- reads: int_forecast_cell, int_order_line, stg_demand_forecast, stg_terms
-- range: the first firm word before the period began; counted when the period's orders are
--        settled; kept is from 0 to 1
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
)

select
    firm.partner,
    firm.direction,
    'demand_forecast' as promise_kind,
    firm.item_id || '/' || firm.ship_to || '/' || firm.period_start as promise_id,
    cell.y_known_at as counted_at,
    firm.quantity,
    price.unit_price,
    true as is_promised,
    least(1, cell.y / firm.quantity) as kept
from firm
inner join int_forecast_cell as cell
    on
        firm.partner = cell.partner
        and firm.direction = cell.direction
        and firm.item_id || '/' || firm.ship_to = cell.series_id
        and firm.period_start::timestamptz = cell.period_start
        and cell.column_name = 'quantity'
left join price
    on
        firm.partner = price.partner
        and firm.direction = price.direction
        and firm.item_id = price.item_id
where cell.y is not null
