-- Promises that fell due: first commitments of order lines, and quantities forecast as firm.
-- grain: partner, direction, promise_kind, promise_id
-- reads: int_forecast_cell, int_order_line, run, stg_demand_forecast
-- range: counted two weeks after the promised day (a line without promise: after the requested
--        one); firm quantities when the orders of their period are settled; kept is 0 to 1
with
asked as (select as_of from run),

line as (
    select
        line.*,
        -- A promise that withholds its quantity is one of all that was ordered.
        coalesce(line.promised_quantity, line.ordered_quantity) as told_quantity,
        line.due_on::timestamptz + interval 14 day as counted_at
    from int_order_line as line
    cross join asked
    where
        line.partner_role = 'supplier'
        and line.ordered_quantity > 0
        and line.due_on::timestamptz + interval 14 day <= asked.as_of
        -- What we cancelled before it was due is not the partner's to keep.
        and coalesce(line.cancelled_at > line.due_on::timestamptz, true)
),

kept_line as (
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
            -- In full is against the promise; what was ordered and not promised is not kept.
            when on_time_quantity >= least(told_quantity, ordered_quantity, wanted_quantity)
                then least(1, told_quantity / ordered_quantity)
            else 0
        end as kept
    from line
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
    where commitment = 'firm' and value > 0 and arrived_at < period_start::timestamptz
    group by partner, direction, item_id, ship_to, period, period_start
),

kept_firm as (
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
    left join price
        on
            firm.partner = price.partner
            and firm.direction = price.direction
            and firm.item_id = price.item_id
    where cell.y is not null
),

both_kinds as (
    select * from kept_line
    union all
    select * from kept_firm
)

select
    * exclude (unit_price, quantity),
    -- Lines without a price weigh as one of the partner's average price.
    quantity * coalesce(
        unit_price, avg(unit_price) over (partition by partner, direction, promise_kind), 1
    ) as value
from both_kinds
