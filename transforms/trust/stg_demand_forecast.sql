-- Forecast values that landed, every vintage, one row a value.
-- grain: partner, direction, agreement_id, column_name, item_id, ship_to, period, period_start,
--        arrived_at, shipment_id
-- reads: landed.demand_forecast, run, stg_order, stg_shipment
-- range: arrived_at (our own clock, never the sender's) <= run.as_of, and without end for what came
--        after its shipment's cut-off: it is known of and counts for nothing. Where orders name no
--        place, what was forecast for all places is one value: lows and highs are added as if all
--        places were low or high together; what is not stated of them is no row
with
asked as (select as_of from run),

placed as (
    select
        partner,
        direction,
        bool_or(ship_to <> '') as names_places
    from stg_order
    group by partner, direction
),

late as (
    select
        partner,
        shipment_id
    from stg_shipment
    where is_late
),

forecast as (
    select
        told.* exclude (ship_to, period, arrived_at),
        'in' as direction,
        coalesce(told.period, 'week') as period,
        case when coalesce(placed.names_places, true) then coalesce(told.ship_to, '') else '' end
            as ship_to,
        case when late.shipment_id is null then told.arrived_at else timestamptz 'infinity' end
            as arrived_at
    from landed.demand_forecast as told
    cross join asked
    left join placed on told.partner = placed.partner
    left join late on told.partner = late.partner and told.shipment_id = late.shipment_id
    where told.arrived_at <= asked.as_of
),

told as (
    select
        partner,
        direction,
        agreement_id,
        item_id,
        ship_to,
        period,
        period_start,
        arrived_at,
        shipment_id,
        sum(quantity)::double as quantity,
        sum(quantity_low)::double as quantity_low,
        sum(quantity_high)::double as quantity_high,
        min(commitment) as commitment
    from forecast
    group by
        partner, direction, agreement_id, item_id, ship_to, period, period_start, arrived_at,
        shipment_id
),

valued as (
    select
        told.* exclude (quantity, quantity_low, quantity_high),
        list.column_name,
        case list.column_name
            when 'quantity' then told.quantity
            when 'quantity_low' then told.quantity_low
            else told.quantity_high
        end as value
    from told
    cross join
        (values ('quantity'), ('quantity_low'), ('quantity_high')) as list (column_name)
)

select
    partner,
    direction,
    agreement_id,
    column_name,
    item_id,
    ship_to,
    period,
    period_start,
    arrived_at,
    shipment_id,
    value,
    commitment
from valued
where column_name = 'quantity' or value is not null
