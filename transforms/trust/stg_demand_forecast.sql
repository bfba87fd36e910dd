-- Forecast values that landed, every vintage, one row a value.
-- grain: partner, direction, agreement_id, column_name, item_id, ship_to, period, period_start, arrived_at, shipment_id
-- reads: landed.demand_forecast, run
-- range: arrived_at (our own clock, never the sender's) <= run.as_of
with
asked as (select as_of from run),

forecast as (select * from landed.demand_forecast)

select
    partner,
    'in' as direction,
    agreement_id,
    'quantity' as column_name,
    item_id,
    coalesce(ship_to, '') as ship_to,
    coalesce(period, 'week') as period,
    period_start,
    arrived_at,
    shipment_id,
    quantity::double as value,
    commitment
from forecast
cross join asked
where arrived_at <= asked.as_of
