-- What we told a supplier ourselves that we will need, every vintage.
-- grain: partner, direction, item_id, ship_to, period, period_start, arrived_at, shipment_id
-- reads: own.demand_forecast, run
-- range: arrived_at <= run.as_of; who repeats it to us tells us nothing
with
asked as (select as_of from run),

forecast as (select * from own.demand_forecast)

select
    partner,
    'in' as direction,
    item_id,
    coalesce(ship_to, '') as ship_to,
    coalesce(period, 'week') as period,
    period_start,
    arrived_at,
    shipment_id,
    quantity::double as quantity
from forecast
cross join asked
where arrived_at <= asked.as_of and quantity is not null
